"""CTGAN is as its paper has it, and learns tables alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from equipoise import GAN
from equipoise.data.schema import Schema
from equipoise.errors import RequestError
from equipoise.networks.ctgan import ModeGenerator
from equipoise.networks.mlp import Dropout
from equipoise.recipes import find
from equipoise.recipes.method import CriticBatch, GeneratorBatch
from equipoise.training.trainer import Trainer
from equipoise.transforms.category_conditions import CategoryConditions
from equipoise.transforms.space import NetworkSpace, mode_spans

N = 400
TINY: dict[str, Any] = {"batch_size": 40, "width": 8, "latent_dim": 8, "threads": 1, "seed": 0}


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    """Numbers in heaps, a category with a rare value, dates with blanks."""
    rng = np.random.default_rng(0)
    plan = rng.choice(["free", "pro", "team"], N, p=[0.9, 0.08, 0.02])
    day = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 300, N), unit="D")
    return pd.DataFrame(
        {
            "plan": plan,
            "x": rng.normal(size=N) + 9 * (plan == "pro"),
            "seen": pd.Series(day).mask(rng.random(N) < 0.2),
        }
    )


def trainer(frame: pd.DataFrame, **settings: Any) -> Trainer:
    return GAN("ctgan", samples=40 * 4, **{**TINY, **settings}).trainer(frame, to_disk=False)


def test_the_settings_are_the_papers() -> None:
    recipe = find("ctgan")()
    rates = [recipe.schedule(progress) for progress in (0.0, 1.0)]
    assert [(of.learning_rate, of.beta2, of.penalty) for of in rates] == [(2e-4, 0.9, 10.0)] * 2
    assert (recipe.beta1, recipe.batch_size, recipe.packing) == (0.5, 500, 10)
    assert (recipe.weight_decay, recipe.discriminator_steps, recipe.ema_half_life) == (1e-6, 1, 0)


def test_g_decays_its_weights_and_d_does_not(frame: pd.DataFrame) -> None:
    state = trainer(frame).state
    assert state.optimizer_g.param_groups[0]["weight_decay"] == 1e-6
    assert state.optimizer_d.param_groups[0]["weight_decay"] == 0


def test_d_has_two_layers_with_dropout_and_sees_ten_rows_with_their_conditions(
    frame: pd.DataFrame,
) -> None:
    state = trainer(frame).state
    assert state.transform is not None
    conditions = state.transform.clustering
    assert isinstance(conditions, CategoryConditions)
    layers = [layer for layer in state.discriminator.modules() if isinstance(layer, nn.Linear)]
    encoded = state.transform.shape[0]
    assert [layer.in_features for layer in layers] == [10 * (encoded + conditions.count), 8, 8]
    dropped = [layer.p for layer in state.discriminator.modules() if isinstance(layer, Dropout)]
    assert dropped == [0.5, 0.5]


def test_rows_of_a_batch_meet_the_conditions_that_they_come_with(frame: pd.DataFrame) -> None:
    state = trainer(frame).state
    assert state.transform is not None
    conditions = state.transform.clustering
    assert isinstance(conditions, CategoryConditions)
    asked = []
    for _ in range(20):
        x, y = state.loader.next()
        assert y is not None
        assert (x[:, conditions.places].gather(1, y[:, None]) == 1).all()
        asked.append(y)
    # "team" in 2% of the rows: log(1 + n) of the plans' in half of the draws
    counts = frame["plan"].value_counts()
    share = float(np.log1p(counts["team"]) / np.log1p(counts).sum() / 2)
    index = sorted(counts.index).index("team")
    found = float((torch.cat(asked) == index).double().mean())
    assert found == pytest.approx(share, abs=4 * (share / 800) ** 0.5)


def test_the_penalty_is_of_packs_and_gs_term_of_the_category_asked_for(
    frame: pd.DataFrame,
) -> None:
    method = trainer(frame).state.method
    assert method.penalty is not None
    packs = torch.cat([torch.ones(4, 30), torch.zeros(4, 30)])
    terms = method.penalty(
        CriticBatch(packs, torch.zeros(8), lambda at: at.sum(1), torch.Generator())
    )
    assert terms["gradient_penalty"].item() == pytest.approx((30**0.5 - 1) ** 2, rel=1e-5)
    generator = method.generator
    assert method.generator_penalty is not None
    assert isinstance(generator, ModeGenerator)
    z = method.prior.sample(6, torch.Generator().manual_seed(0))
    y = torch.tensor([0, 1, 2, 0, 1, 2])
    x = generator(z, y)
    term, readings = method.generator_penalty(GeneratorBatch(z, y, torch.Generator(), x))
    expected = -x[:, :3].gather(1, y[:, None]).log().mean()
    assert term.item() == pytest.approx(expected.item(), rel=1e-5)
    assert readings["condition_loss"].item() == term.item()


def test_every_cell_is_one_that_its_column_could_have(frame: pd.DataFrame) -> None:
    made = GAN("ctgan", samples=40 * 4, **TINY).fit(frame).sample(300, seed=1)
    assert isinstance(made, pd.DataFrame)
    assert made.dtypes.equals(frame.dtypes)
    assert set(made["plan"]) <= {"free", "pro", "team"}
    assert made["seen"].dropna().between(frame["seen"].min(), frame["seen"].max()).all()


def test_a_little_training_finds_what_depends_on_what() -> None:
    """Two categories that are the same, and a number in a heap for each."""
    rng = np.random.default_rng(0)
    kind = rng.choice(["a", "b"], 1_000)
    table = pd.DataFrame({"kind": kind, "again": kind, "x": rng.normal(size=1_000)})
    table["x"] += np.where(kind == "a", -10, 10)
    settings = {**TINY, "batch_size": 100, "width": 32, "packing": 5, "learning_rate": 1e-3}
    made = GAN("ctgan", samples=100 * 400, **settings).fit(table).sample(1_000, seed=1)
    assert isinstance(made, pd.DataFrame)
    assert (made["kind"] == made["again"]).mean() > 0.85
    assert ((made["x"] > 0) == (made["kind"] == "b")).mean() > 0.85
    assert 0.3 < (made["kind"] == "a").mean() < 0.7


def test_a_table_without_categories_has_no_conditions() -> None:
    rng = np.random.default_rng(0)
    day = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 300, N), unit="D")
    dates = pd.DataFrame({"x": rng.normal(size=N), "day": day})
    gan = GAN("ctgan", samples=40 * 4, **TINY)
    fit = gan.trainer(dates, to_disk=False)
    assert fit.state.transform is not None
    assert fit.state.transform.clustering is None
    assert fit.state.method.generator_penalty is None
    gan.train(fit)
    assert len(gan.sample(10)) == 10


@pytest.mark.parametrize(
    ("schema", "what"),
    [
        (Schema((2,), "ND", "float64"), "numbers alone"),
        (Schema((1, 8, 8), "NHW", "uint8"), "images"),
    ],
)
def test_other_data_is_refused_with_recipes_that_fit(schema: Schema, what: str) -> None:
    message = f"ctgan is for tables .* this data is {what}: use the recipe 'balanced' or 'pacgan'"
    with pytest.raises(RequestError, match=message):
        find("ctgan").for_data(schema, {})


def test_more_categories_than_networks_have_classes_are_refused() -> None:
    space = NetworkSpace((70_000,), spans=mode_spans((40_000, 30_000)))
    with pytest.raises(RequestError, match="70,000 categories together, and ctgan takes at most"):
        find("ctgan")().check(space)


def test_a_run_saved_and_loaded_makes_the_same_rows(frame: pd.DataFrame, tmp_path: Path) -> None:
    gan = GAN("ctgan", samples=40 * 4, **TINY).fit(frame, out=tmp_path / "run")
    again = GAN.load(tmp_path / "run")
    pd.testing.assert_frame_equal(again.sample(60, seed=2), gan.sample(60, seed=2))
    assert len(again.sample(5, where={"plan": "free"})) == 5

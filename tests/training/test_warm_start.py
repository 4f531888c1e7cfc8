"""A new training starts from the weights of another one, in its space, and says what
begins anew."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from dataclasses import asdict
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from equipoise import GAN
from equipoise.errors import EquipoiseError, EquipoiseWarning, RequestError
from equipoise.runs.config import InitFrom, Requested
from equipoise.runs.directory import RunDirectory
from equipoise.runs.serialization import digest_of
from equipoise.training.trainer import Trainer
from equipoise.transforms.chain import Chain
from equipoise.transforms.clustering import Clustering

Command = Callable[..., Any]
RNG = np.random.default_rng(0)
X = np.concatenate([RNG.normal(-4, 1, (150, 2)), RNG.normal(4, 1, (50, 2))])
SETTINGS: dict[str, Any] = {
    "samples": 64,
    "batch_size": 16,
    "width": 8,
    "threads": 1,
    "clusters": 2,
}


@pytest.fixture(scope="module")
def earlier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run on two groups of points, 3 to 1."""
    out = tmp_path_factory.mktemp("earlier") / "run"
    GAN(**SETTINGS, seed=3).fit(X, out=out)
    return out


def begun(init_from: Any, x: Any = X, **settings: Any) -> Trainer:
    return GAN(threads=1, **settings).trainer(x, init_from=init_from, to_disk=False)


def weights(network: torch.nn.Module) -> list[torch.Tensor]:
    return list(network.state_dict().values())


def same(one: torch.nn.Module, other: torch.nn.Module) -> bool:
    return all(torch.equal(a, b) for a, b in zip(weights(one), weights(other), strict=True))


@pytest.mark.parametrize("kind", ["path", "text", "loaded", "in memory"])
def test_all_three_networks_start_from_the_weights_and_the_rest_begins_anew(
    kind: str, earlier: Path
) -> None:
    last = GAN(threads=1).trainer(X, out=earlier, resume=True)
    assert last.directory is not None
    last.directory.unlock()
    given: Any = {"path": earlier, "text": str(earlier), "loaded": GAN.load(earlier)}.get(kind)
    if given is None:
        given = GAN(**SETTINGS, seed=3).fit(X)
    state = begun(given).state
    for network in ("generator", "discriminator", "ema"):
        assert same(getattr(state, network), getattr(last.state, network)), network
    assert (state.samples_seen, state.seconds, state.horizon, state.best) == (0, 0.0, None, None)
    assert not state.optimizer_g.state_dict()["state"]


def different(one: Chain, other: Chain) -> dict[str, bool]:
    """Which tensors of two chains differ."""
    tensors = other.state_dict()
    return {
        name: not torch.equal(tensor, tensors[name]) for name, tensor in one.state_dict().items()
    }


def test_recipe_and_transforms_are_the_earlier_runs_and_the_clusters_weights_the_new_datas(
    earlier: Path,
) -> None:
    sampler = GAN.load(earlier)._trained().sampler
    training = begun(earlier, X[::-1][:100] * [1.0, 1.5])  # half of each group
    assert training.recipe == sampler.recipe
    old, new = sampler.transform, training.sampler.transform
    assert [name for name, differs in different(old, new).items() if differs] == [
        "whitening.weights"
    ]
    old, new = old.clustering, new.clustering
    assert isinstance(old, Clustering)
    assert isinstance(new, Clustering)
    assert sorted(old.weights.flatten().tolist()) == pytest.approx([0.25, 0.75], abs=0.05)
    assert sorted(new.weights.flatten().tolist()) == pytest.approx([0.5, 0.5], abs=0.05)


def test_a_note_of_one_line_lists_what_starts_anew(
    earlier: Path, tmp_path: Path, command: Command
) -> None:
    message = (
        f"starting from the weights of {earlier}: optimiser, schedule and samples seen "
        "start anew; its scaling and 2 clusters are reused"
    )
    with pytest.warns(EquipoiseWarning) as warned:
        GAN(samples=32, threads=1).fit(X, init_from=earlier)
    assert [str(warning.message) for warning in warned] == [message]
    np.save(tmp_path / "more.npy", X)
    options = [
        "--samples",
        "32",
        "--threads",
        "1",
        "--evaluate",
        "none",
        "--out",
        str(tmp_path / "run"),
    ]
    answer = command("train", str(tmp_path / "more.npy"), "--init-from", str(earlier), *options)
    assert answer.status == 0
    assert f"  note: {message}\n" in answer.out


def test_without_a_checkpoint_the_discriminator_starts_anew_with_a_note(
    earlier: Path, tmp_path: Path
) -> None:
    GAN.load(earlier).save(tmp_path / "copy")
    training = begun(tmp_path / "copy")
    assert training.source.notes[-1].endswith(
        "; it has no checkpoint with a discriminator, which starts anew too"
    )
    assert same(training.state.ema, GAN.load(earlier)._trained().sampler.generator)
    assert same(
        training.state.discriminator, GAN(**SETTINGS).trainer(X, to_disk=False).state.discriminator
    )


def test_config_has_the_origin_of_the_weights(earlier: Path, tmp_path: Path) -> None:
    GAN(samples=32, threads=1).fit(X, init_from=earlier, out=tmp_path / "run")
    said = RunDirectory(tmp_path / "run").read_config().init_from
    weights = GAN.load(earlier)._trained().sampler.generator.state_dict()
    assert said == InitFrom(str(earlier), digest_of(weights, {}))
    assert RunDirectory(earlier).read_config().init_from is None


def test_the_ema_continues_with_all_samples_that_its_weights_have_seen(tmp_path: Path) -> None:
    settings: dict[str, Any] = {**SETTINGS, "samples": 64 * 20}
    GAN(**settings).fit(X, out=tmp_path / "first")
    once = GAN(samples=64, threads=1).fit(X, init_from=tmp_path / "first", out=tmp_path / "second")
    assert once._trained().trainer is not None
    inherited, average = (
        GAN.load(tmp_path / name)._trained().sampler.generator for name in ("first", "second")
    )
    for a, b, g in zip(
        *(
            network.parameters()
            for network in (inherited, average, once._trained().trainer.state.generator)
        ),
        strict=True,
    ):
        assert (b - a).norm() < 0.5 * (
            g - a
        ).norm()  # 4 steps of 16, and a half-life of about 130 samples
    assert once._trained().trainer.state.seen_before == 1280
    assert [begun(given).state.seen_before for given in (once, tmp_path / "second")] == [1344, 1344]


def test_such_a_run_resumes_in_the_space_that_it_started_in(earlier: Path, tmp_path: Path) -> None:
    shifted = X * 2 + 5
    GAN(samples=96, threads=1).fit(shifted, init_from=earlier, out=tmp_path / "straight")
    GAN(samples=96, threads=1).trainer(
        shifted, init_from=earlier, out=tmp_path / "broken"
    ).directory.unlock()  # type: ignore[union-attr]
    resumed = GAN(threads=1).fit(shifted, out=tmp_path / "broken", resume=True)
    straight, broken = (
        (tmp_path / name / "generator.safetensors").read_bytes() for name in ("straight", "broken")
    )
    assert straight == broken
    transforms = (
        resumed._trained().sampler.transform,
        GAN.load(earlier)._trained().sampler.transform,
    )
    assert not different(*transforms)["scaling.shift"]


def test_its_settings_may_be_others_where_the_networks_stay_as_they_are(earlier: Path) -> None:
    training = begun(earlier, learning_rate=1e-4, batch_size=32)
    assert (
        training.recipe.learning_rate,
        training.recipe.batch_size,
        vars(training.recipe)["width"],
    ) == (1e-4, 32, 8)
    message = (
        r"the weights of .* do not fit other networks \(width: 8 -> 16; clusters: 2 -> 3; "
        r"scaling: 'standard' -> 'unit'\): leave"
    )
    with pytest.raises(RequestError, match=message):
        begun(earlier, width=16, clusters=3, scaling="unit", learning_rate=1e-4)
    with pytest.raises(RequestError, match=r"networks .preset: 'sized' -> 'paper'.: leave these"):
        begun(earlier, preset="paper")
    with pytest.raises(
        RequestError,
        match="was trained with the recipe 'balanced', not with 'classic': leave recipe out",
    ):
        GAN("classic").trainer(X, init_from=earlier, to_disk=False)


def test_data_of_another_kind_is_refused_with_every_difference(tmp_path: Path) -> None:
    frame = pd.DataFrame(X, columns=["a", "b"])
    labels = ["left"] * 150 + ["right"] * 50
    GAN(**SETTINGS).fit(frame, labels, out=tmp_path / "run")
    with pytest.raises(
        RequestError,
        match=r"shape of a sample: \(2,\) -> \(1,\); columns: a, b -> b; classes: left, right "
        r"-> none$",
    ):
        begun(tmp_path / "run", frame[["b"]])
    with pytest.raises(RequestError, match=r"makes: classes: left, right -> 0, 1$"):
        GAN(threads=1).trainer(
            frame, [0] * 150 + [1] * 50, init_from=tmp_path / "run", to_disk=False
        )
    images = RNG.integers(0, 256, (60, 8, 8), np.uint8)
    gan = GAN(**{**SETTINGS, "clusters": 0}).fit(images)
    with pytest.raises(
        RequestError,
        match=r"^the data is not of the kind that the GAN given makes: range of values: 0 to "
        r"255 -> 0 to 1$",
    ):
        begun(gan, images / 255)
    transforms = begun(gan, 255 - images).sampler.transform, gan._trained().sampler.transform
    assert not different(*transforms)["scaling.shift"]


def test_what_cannot_be_started_from_is_refused(earlier: Path, tmp_path: Path) -> None:
    with pytest.raises(
        RequestError, match=r"^init_from is a GAN that is not trained yet: call fit, or GAN\.load$"
    ):
        begun(GAN())
    with pytest.raises(RequestError, match="nothing is not a run directory"):
        begun(tmp_path / "nothing")
    with pytest.raises(RequestError, match="resume and init_from: give one of them"):
        GAN().fit(X, init_from=earlier, resume=True, out=earlier)
    GAN(samples=32, threads=1).fit(X, init_from=earlier, out=tmp_path / "run")
    for path in (tmp_path / "run" / "checkpoints").iterdir():
        path.unlink()
    with pytest.raises(
        EquipoiseError,
        match="the checkpoint with its initial weights is missing; start a new run",
    ):
        GAN().fit(X, out=tmp_path / "run", resume=True)


def test_labels_for_a_run_without_classes_are_unused_with_a_note(earlier: Path) -> None:
    training = GAN(threads=1).trainer(X, [0, 1] * 100, init_from=earlier, to_disk=False)
    assert training.source.notes[-1] == f"the labels are not used: {earlier} was trained without"
    assert not training.recipe.conditional


def test_the_start_of_a_training_changes_nothing_of_the_gan_that_it_is_from(earlier: Path) -> None:
    gan = GAN.load(earlier)
    before = gan.sample(20, seed=1)
    GAN(samples=32, threads=1).fit(X[:100], init_from=gan)
    assert np.array_equal(before, gan.sample(20, seed=1))


def test_a_second_fit_warns_once_that_it_starts_anew(tiny: dict[str, Any], tmp_path: Path) -> None:
    gan = GAN(**tiny).fit("gaussian", out=tmp_path / "run")
    with pytest.warns(
        EquipoiseWarning,
        match=r"trained already, and fit starts anew: .*fit\(data, init_from=gan\)",
    ):
        gan.fit("gaussian")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        gan.fit("gaussian")
    loaded = GAN.load(tmp_path / "run")
    with pytest.warns(
        EquipoiseWarning, match=r"or resume its run with fit\(out=\.\.\., resume=True\)$"
    ):
        loaded.fit("gaussian")


def test_only_what_the_user_set_is_chosen_in_a_gan_that_is_loaded(tmp_path: Path) -> None:
    GAN("classic", samples=32, batch_size=16, threads=1, seed=5).fit(
        "gaussian", out=tmp_path / "run"
    )
    said = json.loads((tmp_path / "run" / "config.json").read_text())["requested"]
    assert said == {"recipe": {"batch_size": 16}, "run": {"samples": 32, "threads": 1, "seed": 5}}
    loaded = GAN.load(tmp_path / "run")
    assert asdict(loaded._settings) == said
    again = loaded.trainer(RNG.integers(0, 256, (60, 8, 8), np.uint8), to_disk=False)
    assert (again.recipe.batch_size, vars(again.recipe)["latent_dim"]) == (
        16,
        100,
    )  # of images, and not the line's 1


def test_what_was_asked_for_stays_known_when_a_run_is_resumed(tmp_path: Path) -> None:
    GAN(samples=32, threads=1, batch_size=16, learning_rate=0.02).fit(X, out=tmp_path / "run")
    GAN(samples=64).fit(X, out=tmp_path / "run", resume=True)
    requested = RunDirectory(tmp_path / "run").read_config().requested
    assert requested == Requested(
        recipe={"batch_size": 16, "learning_rate": 0.02}, run={"samples": 64, "threads": 1}
    )


def test_every_warning_names_the_line_that_called_equipoise(
    tiny: dict[str, Any], tmp_path: Path
) -> None:
    def stop(_: Any) -> None:
        raise ValueError("before the first save")

    with pytest.raises(ValueError, match="before the first save"):
        GAN(**tiny).fit(X, out=tmp_path / "begun", callbacks=[stop])
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", EquipoiseWarning)
        gan = GAN(**tiny).fit(X, out=tmp_path / "begun", resume=True)  # there is no checkpoint yet
        gan.fit(X)  # which starts anew
        gan.fit(X, init_from=gan)  # from whose weights
        (tmp_path / "begun" / "log.jsonl").write_text("damaged\n")
        GAN(**tiny).fit(X, out=tmp_path / "begun", resume=True)
    mine = [warning for warning in caught if issubclass(warning.category, EquipoiseWarning)]
    assert len(mine) >= 4
    assert {warning.filename for warning in mine} == {__file__}


def test_labels_stored_as_text_are_the_same_labels(tiny: dict[str, Any], tmp_path: Path) -> None:
    labels = [Decimal(i % 2) for i in range(len(X))]
    GAN(**tiny).fit(X, labels, out=tmp_path / "run")
    gan = GAN(**tiny).fit(X, labels, init_from=tmp_path / "run")
    assert len(np.asarray(gan.sample(3, label=Decimal(1)))) == 3


def test_a_table_whose_categories_have_other_codes_is_refused() -> None:
    def cities(*names: str) -> pd.DataFrame:
        return pd.DataFrame({"city": RNG.choice(names, 200), "x": RNG.integers(0, 9, 200)})

    settings = {**SETTINGS, "batch_size": 16}
    gan = GAN(**settings).fit(cities("Bern", "Oslo", "Rome"))
    with pytest.raises(RequestError, match="cells of 'city': Bern, Oslo, Rome -> Oslo, Rome, Wien"):
        GAN(**settings).fit(cities("Oslo", "Rome", "Wien"), init_from=gan)
    again = GAN(**settings).fit(cities("Bern", "Oslo", "Rome"), init_from=gan)
    assert set(again.sample(50, seed=0)["city"]) <= {"Bern", "Oslo", "Rome"}

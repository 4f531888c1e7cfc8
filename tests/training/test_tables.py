"""Trainings on tables of mixed columns, from frames to frames."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from equipoise import GAN

N = 600
TINY: dict[str, Any] = {"batch_size": 16, "width": 16, "clusters": 3, "threads": 1, "seed": 0}


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    """Numbers, categories and dates with blanks that depend on each other."""
    rng = np.random.default_rng(0)
    plan = rng.choice(["free", "pro"], N, p=[0.7, 0.3])
    x = rng.normal(size=N) + 3 * (plan == "pro")
    day = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 300, N), unit="D")
    paid = np.where(plan == "free", 0.0, rng.lognormal(3, 1, N).round(2))
    seen = pd.Series(day).mask(rng.random(N) < 0.2)
    return pd.DataFrame({"plan": plan, "x": x, "seen": seen, "paid": paid, "age": 18 + N % 7})


def test_before_the_first_step_moves_anything_samples_are_the_mixtures(
    frame: pd.DataFrame,
) -> None:
    made = GAN(samples=16, **TINY).fit(frame).sample(4_000, seed=1)
    assert made.dtypes.equals(frame.dtypes)
    # Shares of 4,000 and of 600 rows: 4 standard errors of their difference.
    error = 4 * np.sqrt(0.25 / 4_000 + 0.25 / N)
    assert abs((made["plan"] == "pro").mean() - (frame["plan"] == "pro").mean()) < error
    assert abs((made["paid"] == 0).mean() - (frame["paid"] == 0).mean()) < error
    assert abs(made["seen"].isna().mean() - frame["seen"].isna().mean()) < error
    assert ((made["paid"] == 0) == (made["plan"] == "free")).mean() > 0.9


def test_every_cell_is_one_that_its_column_could_have(frame: pd.DataFrame) -> None:
    made = GAN("wgan-gp", samples=96, batch_size=16, threads=1, seed=0).fit(frame).sample(500)
    assert set(made["plan"]) <= {"free", "pro"}
    assert made["paid"].between(frame["paid"].min(), frame["paid"].max()).all()
    assert (made["paid"] == made["paid"].round(2)).all()
    assert made["seen"].dropna().between(frame["seen"].min(), frame["seen"].max()).all()
    assert (made["age"] == frame["age"].iloc[0]).all()


def test_a_label_column_comes_back_and_one_label_can_be_asked_for(frame: pd.DataFrame) -> None:
    gan = GAN(samples=96, label_column="plan", **TINY).fit(frame)
    assert gan.sample(10).columns.tolist() == frame.columns.tolist()
    assert (gan.sample(50, label="pro")["plan"] == "pro").all()

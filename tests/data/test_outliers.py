from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from benchmarks.distributions import DISTRIBUTIONS, training_draws
from PIL import Image

from equipoise import GAN
from equipoise.data.factory import open_source
from equipoise.data.outliers import notes_of_outliers

Draw = Callable[[np.random.Generator, int], np.ndarray[Any, Any]]
ADVICE = (
    "; a network cannot tell the other rows apart at that scale: correct or "
    "remove these rows, or take the logarithm if they are right"
)


def spoilt(rows: int = 300, *values: float) -> np.ndarray[Any, Any]:
    """A table of two columns with extreme values in the second."""
    x = np.random.default_rng(0).standard_normal((rows, 2))
    x[7 * np.arange(1, len(values) + 1), 1] = values
    return x


def test_three_rows_of_1e18_are_named_at_the_start(tiny: dict[str, Any]) -> None:
    with pytest.warns(UserWarning, match="3 of 300 rows of column 1 are extreme outliers: row 7"):
        GAN(**tiny).fit(spoilt(300, 1e18, -1e18, 1e18))


def test_a_note_says_which_column_how_many_rows_the_first_ones_and_what_to_do(
    tmp_path: Path,
) -> None:
    x = spoilt(300, 1e18, -1e18, 1e18, 2e18)
    frame = pd.DataFrame(x, columns=["age", "income"])
    frame.to_csv(tmp_path / "x.csv", index=False)
    message = (
        "4 of 300 rows of column 'income' are extreme outliers: row 7 (1e+18), row 14 "
        "(-1e+18), row 21 (1e+18), ..."
    )
    for data in (frame, tmp_path / "x.csv"):
        assert open_source(data).notes == [message + ADVICE]
    assert open_source(x[:, 1]).notes == [message.replace(" of column 'income'", "") + ADVICE]
    assert message.replace("'income'", "1") + ADVICE in open_source([x]).notes


@pytest.mark.parametrize(
    "values", [(1e6,), (-1e6,), (1e5, 1e5), (1e308,), (1.7e308, -1.7e308), (1e300,) * 20]
)
def test_rows_that_dominate_the_scale_have_a_note(values: tuple[float, ...]) -> None:
    x = spoilt(300, *values)
    (note,) = notes_of_outliers(x, ("a", "b"))
    assert note.startswith(f"{len(values)} of 300 rows of column 'b' are extreme outliers: row 7 (")
    mostly_zero = np.where(
        (np.abs(x) < 9) & (np.random.default_rng(1).random((300, 1)) < 0.6), 0, x
    )
    (note,) = notes_of_outliers(mostly_zero, None)
    assert "of column 1" in note


def test_of_many_columns_three_are_named() -> None:
    x = np.random.default_rng(0).standard_normal((300, 9))
    x[5] = 1e18
    notes = notes_of_outliers(x, None)
    assert ["of column" in note for note in notes] == [True, True, True, False]
    assert notes[-1] == "6 more columns have extreme outliers"


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_distributions_that_are_learned_are_not_called_extreme(name: str) -> None:
    for seed in range(3):
        assert notes_of_outliers(training_draws(name, seed)[:, None], None) == []


TAILS: dict[str, Draw] = {
    "Student t 2": lambda rng, n: rng.standard_t(2, n),
    "lognormal 1.5": lambda rng, n: rng.lognormal(0, 1.5, n),
    "one in 20 is not 0": lambda rng, n: rng.exponential(size=n) * (rng.random(n) < 0.05),
    "half is not 0": lambda rng, n: rng.exponential(size=n) * (rng.random(n) < 0.5),
    "one in 100 is 1": lambda rng, n: (rng.random(n) < 0.01) * 1.0,
    "constant": lambda _, n: np.full(n, 3.0),
    "zero": lambda _, n: np.zeros(n),
    "far from 0": lambda rng, n: 1e12 + rng.standard_normal(n),
}


@pytest.mark.parametrize("rows", [10, 300, 20_000])
@pytest.mark.parametrize("name", TAILS)
def test_heavy_tails_and_columns_of_mostly_one_value_are_not_called_extreme(
    name: str, rows: int
) -> None:
    for seed in range(10):
        assert (
            notes_of_outliers(TAILS[name](np.random.default_rng(seed), rows)[:, None], None) == []
        )


def extreme_notes(data: Any, **options: Any) -> list[str]:
    return [note for note in open_source(data, **options).notes if "extreme" in note]


def test_images_with_extreme_values_are_named_with_what_to_type() -> None:
    x = np.random.default_rng(0).random((50, 8, 8, 3)).astype(np.float32)
    x[[7, 20], 0, 0, 0] = 1e6
    kept = x[x < 2]
    beginning = "2 of 50 images have extreme values, the first 1e+06 in image 7, and most"
    end = (
        f"as black is {x.min():.6g} and white 1e+06, these are nearly one grey; leave such images "
        f"out, clip all by np.clip(x, {kept.min():.6g}, {kept.max():.6g}), or take the logarithm "
        "if they are right"
    )
    for data in (x, iter([x])):
        (note,) = extreme_notes(data)
        assert note.startswith(beginning)
        assert note.endswith(end)


def test_one_white_pixel_in_images_of_twelve_bit_is_told() -> None:
    x = np.random.default_rng(0).integers(0, 4096, (50, 8, 8)).astype(np.uint16)
    assert extreme_notes(x) == []
    x[3, 0, 0] = 65535
    (note,) = extreme_notes(x)
    assert "1 of 50 images have extreme values, the first 65535 in image 3" in note
    assert "clip all by np.clip(x, 0, 409" in note


def test_values_that_an_outlier_has_squeezed_into_a_convention_are_told() -> None:
    x = np.random.default_rng(0).random((50, 8, 8))
    x[5, 0, 0] = 1000
    assert "the first 1 in image 5" in extreme_notes(x / 1000)[0]


@pytest.mark.parametrize("budget", [1e-9, 4.0])
def test_files_with_extreme_values_are_named(tmp_path: Path, budget: float) -> None:
    x = np.random.default_rng(0).random((20, 8, 8)).astype(np.float32)
    x[4, 0, 0] = 1e6
    for number, values in enumerate(x):
        Image.fromarray(values).save(tmp_path / f"{number:02}.tif")
    (note,) = extreme_notes(tmp_path, memory_budget=budget)
    assert "1 of 20 images have extreme values, the first 1e+06 in 04.tif" in note


def test_mapped_images_with_extreme_values_are_told_though_not_all_are_looked_at(
    tmp_path: Path,
) -> None:
    x = np.random.default_rng(0).random((900, 1, 2, 2)).astype(np.float32)
    x[0, 0, 0, 0] = 1e6
    np.save(tmp_path / "x.npy", x)
    (note,) = extreme_notes(tmp_path / "x.npy", memory_budget=1e-6)
    assert "images have extreme values" in note


def test_transparency_does_not_hide_extreme_colours() -> None:
    x = np.random.default_rng(0).random((50, 8, 8, 4)).astype(np.float32) / 100
    x[..., 3] = 1
    x[5, 0, 0, 0] = 1
    assert open_source(x).schema.alpha
    assert "1 of 50 images have extreme values, the first 1 in image 5" in extreme_notes(x)[0]


PICTURES: dict[str, Draw] = {
    "noise": lambda rng, n: rng.standard_normal((n, 8, 8, 3)),
    "stars": lambda rng, n: rng.exponential(size=(n, 8, 8)) * (rng.random((n, 8, 8)) < 0.03),
    "strokes": lambda rng, n: (rng.random((n, 8, 8)) < 0.01) * 1.0,
    "lognormal": lambda rng, n: rng.lognormal(0, 0.7, (n, 8, 8, 3)),
    "8 bit": lambda rng, n: (rng.random((n, 8, 8)) < 0.01).astype(np.uint8) * np.uint8(255),
}


@pytest.mark.parametrize("name", PICTURES)
def test_pictures_that_can_be_learned_are_not_called_extreme(name: str) -> None:
    for seed in range(3):
        assert extreme_notes(PICTURES[name](np.random.default_rng(seed), 50)) == []

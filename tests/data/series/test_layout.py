from typing import Literal

import numpy as np
import pytest
from torch.utils.data import Dataset

from equipoise.data.factory import open_source
from equipoise.data.image_options import ImageOptions
from equipoise.data.series.layout import looks_like_series, read_note
from equipoise.data.sources import Source
from equipoise.errors import RequestError

RNG = np.random.default_rng(0)


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        pytest.param(RNG.normal(size=(9, 24, 4)), True, id="real numbers of four channels"),
        pytest.param(RNG.normal(size=(9, 24, 4)).astype("float32"), True, id="float32"),
        pytest.param(RNG.random((9, 24, 6)), True, id="scaled to [0, 1], few channels"),
        pytest.param(RNG.integers(0, 50, (9, 24, 4)), True, id="counts"),
        pytest.param(RNG.normal(size=(9, 24, 1)), True, id="one channel"),
        pytest.param(RNG.normal(size=(9, 24, 30)) * np.geomspace(1, 100, 30), True, id="scales"),
        pytest.param(RNG.normal(size=(9, 24, 30)), False, id="many channels of one scale"),
        pytest.param(RNG.random((9, 28, 20)), False, id="grey images on [0, 1]"),
        pytest.param(RNG.uniform(-1, 1, (9, 28, 20)), False, id="grey images on [-1, 1]"),
        pytest.param(RNG.normal(size=(9, 8, 8)), False, id="squares"),
        pytest.param(RNG.integers(0, 256, (9, 24, 4), np.uint8), False, id="bytes"),
        pytest.param(RNG.integers(0, 9999, (9, 24, 4), np.uint16), False, id="16 bit"),
        pytest.param(RNG.normal(size=(9, 24, 4)) > 0, False, id="booleans"),
        pytest.param(RNG.normal(size=(9, 1, 4)), False, id="one step"),
        pytest.param(np.full((9, 24, 4), np.nan), True, id="blanks, which are refused later"),
    ],
)
def test_arrays_of_three_axes_are_series_where_they_look_so(
    array: np.ndarray, expected: bool
) -> None:
    assert looks_like_series(array) is expected


def test_the_note_says_what_was_read_and_what_to_type_for_the_other() -> None:
    assert read_note((9, 24, 1), as_series=True) == (
        "read as 9 windows of 24 steps of 1 channel; for grey images type --layout NHW "
        "(in Python layout='NHW')"
    )
    assert "4 x 24 pixels; for windows of 24 steps of 4 channels type --layout NTC" in read_note(
        (9, 24, 4), as_series=False
    )


class Samples(Dataset[np.ndarray]):
    """A Dataset of an array."""

    def __init__(self, x: np.ndarray) -> None:
        self.x = x

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, place: int) -> np.ndarray:
        return self.x[place]


@pytest.mark.parametrize("kind", ["stream", "iterator", "Dataset"])
def test_windows_that_are_read_part_by_part_are_refused_and_images_are_not(kind: str) -> None:
    def opened(x: np.ndarray, layout: Literal["NHW"] | None = None) -> Source:
        data = {"stream": [*x.reshape(3, 20, *x.shape[1:])], "Dataset": Samples(x)}
        given = iter(data["stream"]) if kind == "iterator" else data[kind]
        return open_source(given, memory_budget=1e-9, images=ImageOptions(layout))

    windows = np.random.default_rng(0).normal(size=(60, 24, 2))
    with pytest.raises(RequestError, match="looks like windows of series, of 24 steps of 2 ch"):
        opened(windows)
    assert opened(windows, "NHW").schema.shape == (1, 24, 2)
    assert opened(windows.clip(0, 1).repeat(5, 2)).schema.shape == (1, 24, 10)
    assert opened(windows[:, 0]).schema.shape == (2,)

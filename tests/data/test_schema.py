from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
import torch

from equipoise.data.schema import (
    Layout,
    Schema,
    cast,
    detect_layout,
    from_network_layout,
    layout_note,
    to_network_layout,
)
from equipoise.errors import RequestError

LAYOUTS = [
    ((9,), "N"),
    ((9, 2), "ND"),
    ((9, 5, 7), "NHW"),
    ((9, 3, 5, 7), "NCHW"),
    ((9, 5, 7, 4), "NHWC"),
    ((9, 1, 5, 3), "NCHW"),
    ((9, 4, 6, 3), "NHWC"),  # 4 x 6 is nearer to a square than 6 x 3
    ((9, 3, 8, 3), "NCHW"),  # where nothing tells, channels first
    ((9, 12, 40, 40), "NCHW"),
    ((9, 40, 40, 12), "NHWC"),
    ((9, 64, 70, 80), "NCHW"),
]


@pytest.mark.parametrize(("shape", "layout"), LAYOUTS)
def test_an_array_goes_to_network_layout_and_back_unchanged(
    shape: tuple[int, ...], layout: Layout
) -> None:
    array = np.arange(np.prod(shape)).reshape(shape)
    assert detect_layout(shape) == layout
    there = to_network_layout(array, layout)
    assert there.ndim == (2 if len(shape) < 3 else 4)
    np.testing.assert_array_equal(from_network_layout(there, layout), array)


@pytest.mark.parametrize(
    ("shape", "read_as", "note"),
    [
        (
            (9, 4, 6, 3),
            "NHWC",
            "shape 9x4x6x3 is read as NHWC, images of 6 x 4 with 3 channels; for NCHW type "
            "--layout NCHW (in Python layout='NCHW')",
        ),
        ((9, 12, 16, 16), "NCHW", "for NHWC type --layout NHWC"),
        ((9, 3, 32, 32), "NCHW", ""),
        ((9, 28, 28, 1), "NHWC", ""),
        ((9, 100, 100, 12), "NHWC", ""),
        ((9, 2), "ND", ""),
    ],
)
def test_a_shape_that_can_be_read_in_two_ways_has_a_note(
    shape: tuple[int, ...], read_as: Layout, note: str
) -> None:
    assert detect_layout(shape) == read_as
    told = layout_note(shape, read_as)
    assert note in told
    assert bool(told) == bool(note)


def test_a_layout_that_is_asked_for_is_taken_where_the_shape_has_it() -> None:
    assert detect_layout((9, 4, 6, 3), "NCHW") == "NCHW"
    for shape in ((9, 100, 6, 3), (9, 2), (9, 5, 5)):
        with pytest.raises(RequestError, match="layout = 'NCHW': data has shape 9x"):
            detect_layout(shape, "NCHW")


def test_channels_last_become_channels_first() -> None:
    array = np.random.default_rng(0).random((2, 5, 7, 3))
    np.testing.assert_array_equal(to_network_layout(array, "NHWC")[:, 2], array[..., 2])


@pytest.mark.parametrize("shape", [(), (9, 65, 7, 66), (9, 2, 2, 2, 2)])
def test_any_other_shape_is_refused_with_the_shapes_that_would_do(shape: tuple[int, ...]) -> None:
    with pytest.raises(RequestError, match=r"\(N, D\) points, or \(N, H, W\)"):
        detect_layout(shape)


def test_whole_numbers_are_rounded_and_kept_in_their_range() -> None:
    np.testing.assert_array_equal(
        cast(np.array([-3.0, 0.4, 0.6, 254.7, 300.0]), "uint8"), [0, 0, 1, 255, 255]
    )
    np.testing.assert_array_equal(
        cast(np.array([-0.4, 0.2, 0.9, 7.0]), "bool"), [False, False, True, True]
    )


@pytest.mark.parametrize("dtype", ["int64", "uint64", "int32"])
def test_values_past_the_largest_integer_do_not_wrap_around(dtype: str) -> None:
    low, high = cast(np.array([-1e30, 1e30]), dtype)
    assert low == np.iinfo(dtype).min
    assert high > 0.99 * np.iinfo(dtype).max


def test_a_frame_comes_back_with_its_columns_and_their_types() -> None:
    schema = Schema((3,), "ND", "float64", "frame", ("a", 7, "c"), ("float32", "int64", "bool"))
    frame = schema.to_user(np.array([[0.5, 1.6, 0.9], [1.5, -2.2, 0.1]]))
    expected = pd.DataFrame({"a": np.float32([0.5, 1.5]), 7: [2, -2], "c": [True, False]})
    pd.testing.assert_frame_equal(frame, expected)


def test_a_tensor_comes_back_as_a_tensor() -> None:
    back = Schema((2,), "ND", "float32", "tensor").to_user(np.ones((4, 2)))
    assert isinstance(back, torch.Tensor)
    assert back.dtype == torch.float32


def test_a_schema_survives_json() -> None:
    schema = Schema(
        (2,),
        "ND",
        "float64",
        "frame",
        ("a", 1),
        ("int64", "bool"),
        classes=(1, "b"),
        class_counts=(3, 4),
    )
    assert Schema.from_dict(json.loads(json.dumps(schema.to_dict()))) == schema


def test_a_label_typed_as_text_finds_its_number() -> None:
    schema = Schema((1,), "N", "float64", classes=(3, 7, "seven"))
    assert [schema.class_index(label) for label in (7, "7", "seven")] == [1, 1, 2]
    floats = Schema((1,), "N", "float64", classes=(1.0, 2.5), class_counts=(1, 1))
    assert [floats.class_index(label) for label in (1, "1", "2.50")] == [0, 0, 1]


def test_an_unknown_label_is_refused_with_the_nearest_one() -> None:
    with pytest.raises(RequestError, match="'sevn' is not among the classes: did you mean 'seven'"):
        Schema((1,), "N", "float64", classes=("six", "seven")).class_index("sevn")

"""What must hold of any input, tried on inputs that hypothesis makes up."""

from __future__ import annotations

import math
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from equipoise.data.arrays import MAX_EXACT, from_array
from equipoise.data.labels import label_from_json, label_to_json
from equipoise.data.schema import Schema, cast
from equipoise.errors import RequestError
from equipoise.recipes.balanced import Balanced
from equipoise.recipes.base import Recipe
from equipoise.recipes.classic import Classic
from equipoise.runs import checkpoint
from equipoise.runs.serialization import (
    checked_line,
    pack,
    read_checked_line,
    read_json,
    unpack,
    write_json,
)
from equipoise.training.step import adversarial_step
from equipoise.transforms.scaling import Scaling
from tests.helpers import state_of

DTYPES = [
    "bool",
    "int8",
    "uint8",
    "int16",
    "uint16",
    "int32",
    "uint32",
    "int64",
    "uint64",
    "float16",
    "float32",
    "float64",
]
SHAPES = st.one_of(
    st.tuples(st.integers(2, 9)),
    st.tuples(st.integers(2, 9), st.integers(1, 5)),
    st.tuples(st.integers(2, 5), st.integers(1, 5), st.integers(1, 5)),
    st.tuples(st.integers(2, 5), st.integers(1, 4), st.integers(1, 5), st.integers(1, 5)),
    st.tuples(st.integers(2, 5), st.integers(5, 8), st.integers(1, 5), st.integers(1, 4)),
)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4)
    ),
    max_leaves=12,
)


def elements(dtype: str) -> st.SearchStrategy[Any]:
    """Values of a type that can be trained on."""
    kind = np.dtype(dtype)
    if kind.kind == "b":
        return st.booleans()
    if kind.kind in "iu":
        limits = np.iinfo(kind)
        return st.integers(max(int(limits.min), -MAX_EXACT), min(int(limits.max), MAX_EXACT))
    most = {2: 2.0**15, 4: 2.0**120, 8: 2.0**500}[kind.itemsize]
    return st.floats(-most, most, width=kind.itemsize * 8, allow_subnormal=False).map(
        lambda value: 0.0 if abs(value) < 1e-30 else value
    )


@st.composite
def data(draw: st.DrawFn) -> np.ndarray[Any, Any]:
    """Arrays of samples that are not all the same: two of them differ in one place."""
    dtype = draw(st.sampled_from(DTYPES))
    array = draw(arrays.arrays(dtype, draw(SHAPES), elements=elements(dtype)))
    one, other = draw(st.lists(elements(dtype), min_size=2, max_size=2, unique=True))
    place = draw(st.integers(0, array[0].size - 1))
    first, second = draw(
        st.lists(st.integers(0, len(array) - 1), min_size=2, max_size=2, unique=True)
    )
    flat = array.reshape(len(array), -1)
    flat[first, place], flat[second, place] = one, other
    return array


@given(data())
@example(np.array([1e-30, -1e-30]))
@example(np.array([1e30, -1e30]))
def test_every_accepted_shape_and_type_comes_back_in_kind_shape_and_type_with_its_values(
    array: np.ndarray[Any, Any],
) -> None:
    rows = from_array(array, None, "it")
    assert rows.values.shape == (len(array), *rows.schema.shape)
    back = rows.schema.to_user(rows.values.astype(np.float64))
    assert isinstance(back, np.ndarray)
    assert (back.dtype, back.shape) == (array.dtype, array.shape)
    np.testing.assert_array_equal(back, array)
    assert Schema.from_dict(rows.schema.to_dict()) == rows.schema


@given(data(), st.sampled_from(["standard", "unit"]))
@example(np.array([1e-30, -1e-30]), "standard")
@example(np.array([1e30, -1e30]), "standard")
@example(np.array([[1.0, 3.25], [2.0, 3.25]]), "standard")
@example(np.eye(3), "standard")
@example(np.array([2.0**53, 2.0**53 - 1]), "standard")
def test_scaling_there_and_back_loses_no_more_than_single_precision(
    array: np.ndarray[Any, Any], kind: Any
) -> None:
    rows = from_array(array, None, "it")
    limits = (float(rows.values.min()), float(rows.values.max())) if rows.schema.is_image else None
    raw = torch.from_numpy(np.ascontiguousarray(rows.values.astype(np.float64)))
    scaling = Scaling(tuple(raw.shape[1:]), kind, limits).fit([raw])
    scaled = scaling.scaled(raw)
    assert scaled.isfinite().all()
    assert scaled.abs().max() <= math.sqrt(raw.numel()) + 1
    off = np.abs(scaling.decode(scaled).numpy() - raw.numpy()).reshape(len(raw), -1)
    most = np.abs(raw.numpy()).reshape(len(raw), -1).max(0)
    assert (
        off <= 1e-6 * math.sqrt(raw.numel()) * np.maximum(np.array(scaling.scale), 1e-9 * most)
    ).all()


@given(st.integers(MAX_EXACT + 1, 2**64 - 1) | st.integers(-(2**63), -MAX_EXACT - 1))
def test_whole_numbers_that_would_be_rounded_are_refused(value: int) -> None:
    with pytest.raises(RequestError, match=rf"whole number {value}, beyond 2\*\*53"):
        from_array(np.array([value, 0], np.int64 if value < 2**63 else np.uint64), None, "it")


@given(st.floats(allow_nan=False, width=64), st.sampled_from(DTYPES))
def test_whatever_a_generator_makes_stays_inside_the_users_type(value: float, dtype: str) -> None:
    with np.errstate(over="ignore"):
        made = cast(np.array([value]), dtype)
    assert made.dtype == dtype
    if made.dtype.kind in "iu":
        assert abs(
            float(made[0]) - min(max(value, float(np.iinfo(dtype).min)), float(np.iinfo(dtype).max))
        ) <= max(0.5, abs(value) * 1e-15)


@given(
    st.dictionaries(
        st.text("abc.", min_size=1, max_size=6),
        arrays.arrays(
            st.sampled_from(["float32", "float64", "uint8", "int64"]),
            arrays.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4),
        ),
        max_size=4,
    ),
    st.dictionaries(
        st.text(max_size=6).filter(lambda name: name not in ("format", "sha256")), JSON, max_size=4
    ),
)
def test_tensors_and_what_describes_them_are_loaded_as_they_were_saved(
    tensors: dict[str, Any], description: dict[str, Any]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.safetensors"
        path.write_bytes(
            pack({name: torch.from_numpy(value) for name, value in tensors.items()}, description)
        )
        loaded, said = unpack(path)
    assert loaded.keys() == tensors.keys()
    for name, value in tensors.items():
        np.testing.assert_array_equal(loaded[name].numpy(), value)
        assert loaded[name].numpy().dtype == value.dtype
    assert said == {"format": 1, **description}


@given(
    st.dictionaries(
        st.text(max_size=6).filter(lambda name: name not in ("format", "sha256")), JSON, max_size=4
    )
)
def test_a_description_is_read_as_it_was_written(content: dict[str, Any]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        write_json(Path(folder) / "x.json", {"format": 1, **content})
        assert read_json(Path(folder) / "x.json") == {"format": 1, **content}


@given(st.dictionaries(st.text(max_size=6), JSON, max_size=4), st.data())
def test_a_line_of_the_log_is_read_as_it_was_written_and_never_otherwise(
    line: dict[str, Any], choose: st.DataObject
) -> None:
    written = checked_line(line).removesuffix("\n")
    assert read_checked_line(written) == line
    place = choose.draw(st.integers(0, len(written) - 1))
    other = choose.draw(
        st.characters(codec="utf-8").filter(lambda letter: letter != written[place])
    )
    assert read_checked_line(written[:place] + other + written[place + 1 :]) is None


@given(st.one_of(st.text(max_size=5), st.integers(), st.booleans(), st.floats(allow_nan=False)))
def test_labels_go_through_json_and_back(label: Any) -> None:
    back = label_from_json(label_to_json(label))
    assert (back, type(back)) == (label, type(label))


@settings(max_examples=settings().max_examples // 8)  # each trains
@given(
    st.integers(0, 12),
    st.sampled_from([Balanced(batch_size=8, width=8), Classic(batch_size=8, width=8, dropout=0.3)]),
)
def test_a_training_saved_after_any_step_and_resumed_ends_with_the_same_bits(
    steps: int, recipe: Recipe
) -> None:
    straight, stopped, resumed = state_of(recipe), state_of(recipe), state_of(recipe)
    rates = straight.method.schedule(0)
    for _ in range(12):
        adversarial_step(straight, rates)
    for _ in range(steps):
        adversarial_step(stopped, rates)
    with tempfile.TemporaryDirectory() as folder:
        checkpoint.save(stopped, Path(folder) / "checkpoints")
        resumed.restore(*checkpoint.load_newest(Path(folder) / "checkpoints", pytest.fail))
    for _ in range(12 - steps):
        adversarial_step(resumed, rates)
    left, right = straight.tensors(), resumed.tensors()
    assert [name for name in left if not torch.equal(left[name], right[name])] == []

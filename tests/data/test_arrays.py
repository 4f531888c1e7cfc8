from __future__ import annotations

import pickle
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from equipoise.data.arrays import check_values, from_array
from equipoise.data.frames import TableOptions, check_plain, from_file, from_frame
from equipoise.errors import RequestError

RNG = np.random.default_rng(0)
POINTS = RNG.normal(size=(20, 2))


@pytest.mark.parametrize("shape", [(20,), (20, 3), (20, 4, 5), (20, 3, 4, 5), (20, 4, 5, 3)])
@pytest.mark.parametrize(
    "dtype", ["float16", "float32", "float64", "uint8", "uint16", "int64", "bool"]
)
def test_an_array_or_tensor_comes_back_as_it_was(shape: tuple[int, ...], dtype: str) -> None:
    array = (RNG.random(shape) * 2).astype(dtype) if dtype != "bool" else RNG.random(shape) < 0.5
    rows = from_array(array, None, "x")
    back = rows.schema.to_user(rows.values.astype(np.float64))
    assert (back.shape, back.dtype) == (array.shape, array.dtype)
    np.testing.assert_array_equal(back, array)
    tensor = from_array(torch.from_numpy(array), None, "x")
    assert torch.equal(
        tensor.schema.to_user(tensor.values.astype(np.float64)), torch.from_numpy(array)
    )


def test_another_byte_order_is_read_right() -> None:
    rows = from_array(POINTS.astype(">f4"), None, "x")
    np.testing.assert_array_equal(torch.from_numpy(rows.values), POINTS.astype("float32"))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (np.array(["a", "b"]), "has type <U1: give numbers"),
        (np.array([1 + 2j]), "has type complex128: give numbers"),
        (np.empty((0, 3)), r"is empty \(shape \(0, 3\)\)"),
        (np.full((9, 2), 7), "one distinct value, 7"),
        (np.arange(9, dtype=np.longdouble), "give float64 or smaller"),
        (torch.zeros(9, dtype=torch.bfloat16), r"bfloat16, .*: give float32"),
        (torch.zeros(9, dtype=torch.float8_e5m2), r"float8_e5m2, .*: give float32"),
        (torch.zeros(9, dtype=torch.complex64), "has type complex64: give numbers"),
        (torch.eye(9).to_sparse(), r"sparse_coo, .*: give a dense tensor"),
        (
            np.ma.masked_equal(np.array([1.0, -9999.0]), -9999),
            "has masked values: fill or remove them first",
        ),
        (torch.tensor([2**53 + 1, 0]), "whole number 9007199254740993, beyond"),
    ],
)
def test_arrays_that_cannot_be_learned_are_refused_with_a_remedy(data: Any, message: str) -> None:
    with pytest.raises(RequestError, match=message):
        from_array(data, None, "the array")


def test_what_is_not_finite_is_counted_and_the_first_is_located() -> None:
    array = POINTS.copy()
    array[7, 1], array[3, 0] = np.nan, -np.inf
    with pytest.raises(
        RequestError,
        match=r"x has 2 NaN or infinite values, the first \(infinity\) at row 3, position \(0,\)",
    ):
        from_array(array, None, "x")
    with pytest.raises(RequestError, match=r"the first \(NaN\) at row 4: remove"):
        from_array(np.array([0.0, 1.0, 2.0, 3.0, np.nan]), None, "x")
    array[7, 1] = 0.0
    with pytest.raises(RequestError, match=r"\(infinity\) at row 3, column 'a'"):
        check_plain(pd.DataFrame(array, columns=["a", "b"]), "x")


def test_labels_become_positions_among_sorted_classes() -> None:
    rows = from_array(np.arange(5.0), ["b", "a", "b", "c", "b"], "x")
    assert rows.schema.classes == ("a", "b", "c")
    assert rows.schema.class_counts == (1, 3, 1)
    np.testing.assert_array_equal(rows.labels, [1, 0, 1, 2, 1])


@pytest.mark.parametrize(
    "labels",
    [np.array([3, 1, 3]), torch.tensor([3, 1, 3]), pd.Series([3, 1, 3]), [np.int8(3), 1, 3]],
)
def test_labels_of_any_kind_are_plain_numbers_in_the_end(labels: Any) -> None:
    classes = from_array(np.arange(3.0), labels, "x").schema.classes
    assert classes == (1, 3)
    assert all(type(known) is int for known in classes)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([1, 2], "labels: 2 given for 3 samples of x"),
        ([1, 2, np.nan], "labels hold NaN"),
        ([1, 2, None], "labels hold None"),
        ([1, 2, {}], "type dict, which is not hashable"),
    ],
)
def test_labels_that_do_not_fit_are_refused(labels: list[Any], message: str) -> None:
    with pytest.raises(RequestError, match=message):
        from_array(np.arange(3.0), labels, "x")


def test_rows_with_categories_that_a_known_table_lacks_are_left_out_and_counted() -> None:
    frame = pd.DataFrame({"x": np.linspace(0, 1, 40), "plan": ["a", "b"] * 20})
    table = from_frame(frame, None, "x").schema.table
    other = pd.DataFrame({"plan": ["a", "c", "b"], "x": [0.1, 0.2, 0.3]})
    rows = from_frame(other, ["u", "v", "u"], "x", TableOptions(table=table))
    assert rows.schema.table is table
    np.testing.assert_array_equal(rows.values, [[0.1, 0], [0.3, 1]])
    assert rows.schema.classes == ("u",)
    assert rows.notes == (
        "1 of 3 rows hold categories or blanks that were not in the training data: they are left "
        "out",
    )


def test_a_file_of_python_objects_is_refused_and_not_run(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> Any:
            return Path.touch, (tmp_path / "ran",)

    np.save(tmp_path / "a.npy", np.array([Trap()], dtype=object), allow_pickle=True)
    (tmp_path / "b.npy").write_bytes(pickle.dumps(Trap()))
    for name in ("a.npy", "b.npy"):
        with pytest.raises(RequestError, match=f"{name} .*Python objects, which can run code"):
            from_file(tmp_path / name, None)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("name", ["a.npy", "a.npz", "a.csv", "a.parquet"])
@pytest.mark.parametrize(
    "content", [b"", b"\x93NUMPY\x01\x00v\x00{'descr", b"PK\x03\x04broken", b'"\x00\xff\n,,,\n1']
)
def test_a_broken_file_is_refused_in_one_line_that_names_it(
    tmp_path: Path, name: str, content: bytes
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(RequestError, match=name) as error:
        from_file(tmp_path / name, None)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n", r"is empty \(0 rows, 2 columns\)"),
        ("a,b\n1,2\n3,4,5\n", "line 3 has 3 cells, expected 2"),
        ("a,b\n3,2,3\n4,5,6\n", "line 1 has 2 cells, expected 3"),
    ],
)
def test_a_table_that_cannot_be_learned_is_refused_with_the_place(
    tmp_path: Path, text: str, message: str
) -> None:
    path = tmp_path / "a.csv"
    path.write_text(text)
    with pytest.raises(RequestError, match=message):
        from_file(path, None)


def test_images_are_checked_without_a_copy_of_them() -> None:
    values = (
        np.random.default_rng(0).random((50, 32, 32, 3)).transpose(0, 3, 1, 2)
    )  # which no flat view is of
    check_values(values[:2], "warm-up", "NHWC")
    tracemalloc.start()
    check_values(values, "images", "NHWC")
    assert tracemalloc.get_traced_memory()[1] < values.nbytes / 2
    tracemalloc.stop()


def test_an_npz_of_several_arrays_is_refused_with_the_expected_names(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", u=POINTS, v=POINTS)
    with pytest.raises(
        RequestError, match=r"holds the arrays u, v: name the samples x \(and the labels y\)"
    ):
        from_file(tmp_path / "a.npz", None)

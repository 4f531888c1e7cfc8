"""Datasets of the library `datasets`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from tests.helpers import png

from equipoise import GAN
from equipoise.data import stream_loading, streams
from equipoise.data.datasets import FetchedSource
from equipoise.data.factory import open_source
from equipoise.errors import EquipoiseWarning, RequestError

datasets = pytest.importorskip("datasets")
SMALL = 1e-7  # GiB
RNG = np.random.default_rng(0)
NAMES = ["cat", "dog", "cow"]
CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EQUIPOISE_DATA", str(tmp_path_factory.mktemp("home")))


def pixels(i: int) -> np.ndarray[Any, Any]:
    return np.random.default_rng(i).integers(0, 256, (8, 8, 3), np.uint8)


def images(n: int = 60, **others: list[Any]) -> Any:
    """Images with classes, or with other columns."""
    rows = {
        "image": [{"bytes": png(pixels(i)), "path": None} for i in range(n)],
        "label": [i % 3 for i in range(n)],
    }
    features = {"image": datasets.Image(), "label": datasets.ClassLabel(names=NAMES)}
    return datasets.Dataset.from_dict(rows | others, features=datasets.Features(features))


def table(n: int = 300) -> Any:
    columns = {
        "a": RNG.normal(size=n),
        "b": RNG.integers(0, 9, n),
        "c": [*"xyz"] * (n // 3),
        "label": [0, 1, 2] * (n // 3),
    }
    return datasets.Dataset.from_dict(columns).cast_column(
        "label", datasets.ClassLabel(names=NAMES)
    )


NUMBER_OF = {pixels(i).transpose(2, 0, 1).tobytes(): i for i in range(60)}


@pytest.mark.parametrize("budget", [SMALL, 4.0])
@pytest.mark.parametrize("streamed", [False, True])
def test_images_keep_their_classes(budget: float, streamed: bool) -> None:
    data = images().to_iterable_dataset() if streamed else images()
    source = open_source(data, memory_budget=budget)
    assert source.schema.shape == (3, 8, 8)
    assert sorted(source.schema.classes or (), key=str) == sorted(NAMES)
    found = [source.labelled(99, 0, held_out=held_out) for held_out in (False, True)]
    seen = [(row, y) for pair in found if pair is not None for row, y in zip(*pair, strict=True)]
    classes = source.schema.classes or ()
    for row, y in seen:
        assert classes[int(y)] == NAMES[NUMBER_OF[row.numpy().tobytes()] % 3]
    assert len(seen) == 60


def test_samples_have_the_names_of_classes(tiny: dict[str, Any]) -> None:
    gan = GAN(**tiny, conditional=True).fit(images())
    assert gan.sample(3, label="dog", seed=0).shape == (3, 8, 8, 3)


def test_a_selection_and_a_shuffle_are_read_as_they_are() -> None:
    data = images().shuffle(seed=1).select(range(20))
    source = open_source(data)
    rows = torch.cat([source.seen(99, 0), source.held_out(99, 0)])
    expected = {np.asarray(image).transpose(2, 0, 1).tobytes() for image in data["image"]}
    assert {row.numpy().tobytes() for row in rows} == expected


def with_junk(n: int, places: set[int]) -> Any:
    """Images, of which those at some places cannot be read."""
    junk = {"bytes": b"junk", "path": None}
    return images(
        n,
        image=[junk if i in places else {"bytes": png(pixels(i)), "path": None} for i in range(n)],
    )


@pytest.mark.parametrize(
    ("streamed", "names"), [(False, ["03", "40"]), (True, ["row 3", "row 40"])]
)
def test_images_that_cannot_be_read_are_left_out_and_told(streamed: bool, names: list[str]) -> None:
    data = with_junk(60, {3, 40})
    source = open_source(data.to_iterable_dataset() if streamed else data)
    assert source.notes[0] == (
        f"2 of 60 files left out: 2 unreadable ({names[0]}: cannot identify image file; ...); "
        "all are listed in left_out.txt of the run"
    )
    assert [one.name for one in source.left_out] == names


def test_images_that_are_left_out_later_in_a_stream_are_counted_once_each(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(streams, "FIRST_ROWS", 64)
    source = open_source(with_junk(200, {70, 71, 195}).to_iterable_dataset())
    assert source.left_out == ()
    loader = source.loader(50, torch.Tensor.double, CPU, 0)
    with pytest.warns(EquipoiseWarning) as warned:
        x = torch.cat([loader.next()[0] for _ in range(7)])  # three an epoch
    assert x.shape == (350, 3, 8, 8)
    assert [str(one.message) for one in warned if one.category is EquipoiseWarning] == [
        f"{told} images left out: {told[0]} unreadable (row 70: cannot identify image file; ...)"
        for told in ("2 of the stream's first 128", "3 of the stream's first 200")
    ]


@pytest.mark.parametrize("budget", [SMALL, 4.0])
def test_columns_of_single_values_are_a_table(budget: float) -> None:
    source = open_source(table(), memory_budget=budget, label_column="label")
    assert isinstance(source, FetchedSource) == (budget < 1)
    assert source.schema.container == "frame"
    assert source.schema.classes == ("cat", "cow", "dog")
    assert [column.name for column in source.columns] == ["a", "b", "c", "label"]


def test_samples_of_a_table_are_a_frame(tiny: dict[str, Any]) -> None:
    made = GAN(**tiny).fit(table()).sample(20, seed=0)
    assert isinstance(made, pd.DataFrame)
    assert set(made["label"]) <= set(NAMES)
    assert made["b"].dtype == np.int64


def test_a_column_of_arrays_is_read_in_its_own_type_whatever_holds_it() -> None:
    x = RNG.normal(size=(200, 5))
    data = datasets.Dataset.from_dict({"x": x.tolist(), "label": [0, 1] * 100})
    large, small = (open_source(data, memory_budget=budget) for budget in (SMALL, 4.0))
    assert large.schema.dtype == small.schema.dtype == "float64"
    assert large.fingerprint == small.fingerprint
    assert torch.equal(large.seen(999, 0), small.seen(999, 0))
    assert np.isin(small.seen(999, 0).numpy(), x).all()
    stream = open_source(data.to_iterable_dataset())
    assert np.isin(stream.seen(999, 0).numpy(), x).all()
    assert stream.schema.classes == large.schema.classes == (0, 1)


def test_a_stream_goes_on_where_it_was_and_ranks_share_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "FIRST_ROWS", 64)
    monkeypatch.setattr(stream_loading, "BLOCK_ROWS", 70)
    x = np.arange(300.0)[:, None]
    data = datasets.Dataset.from_dict({"x": x.tolist()}).to_iterable_dataset(num_shards=4)

    def loader(size: int, rank: int = 0, ranks: int = 1) -> Any:
        made = open_source(data.shuffle(seed=1)).loader(size, torch.Tensor.double, CPU, 0)
        made.split(rank, ranks)
        return made

    def rows(loader: Any, batches: int) -> list[float]:
        return [v for _ in range(batches) for v in loader.next()[0][:, 0].tolist()]

    alone, first, second = loader(20), loader(10, 0, 2), loader(10, 1, 2)
    seen = []
    for _ in range(14):
        one, other = rows(first, 1), rows(second, 1)
        assert one + other == rows(alone, 1)
        seen += one + other
    assert len(set(seen)) == len(seen) == 280
    again = loader(10, 1, 2)
    again.restore(second.position())
    assert rows(again, 20) == rows(second, 20)


@pytest.mark.parametrize(
    ("make", "settings", "message"),
    [
        (lambda: datasets.DatasetDict({"train": table()}), {}, r"give one, as data\['train'\]"),
        (lambda: table().select([]), {}, "the dataset is empty"),
        (images, {"label_column": "labl"}, "no such column; did you mean 'label'"),
        (lambda: images(label=[None] + [1] * 59), {}, "row 0 of the dataset has no label"),
        (
            lambda: datasets.Dataset.from_dict({"x": [[1.0]] * 9, "y": [[1.0]] * 9}),
            {},
            r"several columns of images or arrays, x, y: choose one, as data.select_columns",
        ),
        (lambda: datasets.Dataset.from_dict({"x": [[1.0], [1.0, 2.0]]}), {}, "different shapes"),
        (lambda: datasets.Dataset.from_dict({"x": [["a"], ["b"]]}), {}, "one of string"),
        (lambda: table().to_iterable_dataset(), {}, "numbers alone can be streamed"),
        (
            lambda: datasets.IterableDataset.from_generator(lambda: iter([{"x": 1.0}] * 9)),
            {},
            r"types of the dataset's columns are not known \(it has x\)",
        ),
    ],
)
def test_datasets_that_cannot_be_learned_are_refused_in_a_line(
    make: Any, settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(RequestError, match=message) as refused:
        open_source(make(), **settings)
    assert "\n" not in str(refused.value)


def test_the_library_is_not_imported_for_other_data(tmp_path: Path) -> None:
    code = (
        "import sys, numpy as np\n"
        "from equipoise.data.factory import open_source\n"
        "open_source(np.arange(99.0)); open_source(iter([np.arange(99.0)]))\n"
        "assert 'datasets' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=tmp_path)

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from torch.utils.data import (
    BatchSampler,
    DataLoader,
    Dataset,
    IterableDataset,
    RandomSampler,
    SequentialSampler,
    SubsetRandomSampler,
    TensorDataset,
)

from equipoise import GAN
from equipoise.data.datasets import FetchedSource
from equipoise.data.factory import open_again, open_source
from equipoise.data.images import cache
from equipoise.data.sources import RowsSource
from equipoise.errors import RequestError
from equipoise.transforms.scaling import fit_scaling

RNG = np.random.default_rng(0)
POINTS, BYTES = RNG.normal(size=(100, 2)), RNG.integers(0, 256, (60, 8, 8, 3)).astype(np.uint8)
SMALL = 1e-9  # GiB: less than any data
MakeImage = Callable[..., np.ndarray[Any, Any]]


class Items(Dataset[Any]):
    """A map-style Dataset of what it is given."""

    def __init__(self, items: Any) -> None:
        self.items = items

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, index: int) -> Any:
        return self.items[index]


class Counted(Items):
    """An Items that counts how often each was asked for."""

    def __init__(self, items: Any) -> None:
        super().__init__(items)
        self.asked = np.zeros(len(items), int)

    def __getitem__(self, index: int) -> Any:
        self.asked[index] += 1
        return super().__getitem__(index)


class Endless(IterableDataset[Any]):
    """Points without end, the same ones every time."""

    def __iter__(self) -> Any:
        rng = np.random.default_rng(1)
        while True:
            yield rng.normal(size=3).astype(np.float32)


def test_a_dataset_in_memory_is_decoded_once_for_its_samples_and_its_labels() -> None:
    data = Counted([(row, int(row[0] > 0)) for row in POINTS])
    source = open_source(data)
    assert data.asked.tolist() == [1] * 100
    assert source.schema.class_counts == (
        int((POINTS[:, 0] <= 0).sum()),
        int((POINTS[:, 0] > 0).sum()),
    )


ACCEPTED: dict[str, Callable[[], Any]] = {
    "numbers": lambda: POINTS[:, 0],
    "points": lambda: POINTS.astype(np.float32),
    "counts": lambda: RNG.integers(0, 50, (100, 3)),
    "tensor": lambda: torch.from_numpy(POINTS),
    "grey bytes": lambda: BYTES[..., 0],
    "grey 16 bit": lambda: BYTES[..., 0].astype(np.uint16) * 257,
    "channels first": lambda: BYTES.transpose(0, 3, 1, 2),
    "channels last": lambda: BYTES,
    "floats": lambda: (BYTES / 255).astype(np.float32),
    "odd sizes": lambda: BYTES[:, :7, :5],
    "frame": lambda: pd.DataFrame(
        {"a": POINTS[:, 0], 1: RNG.integers(0, 9, 100), "c": POINTS[:, 1] > 0}
    ),
}


@pytest.mark.parametrize("name", ACCEPTED)
def test_samples_are_of_the_kind_that_was_fed(name: str, tiny: dict[str, Any]) -> None:
    data = ACCEPTED[name]()
    samples = GAN(**tiny).fit(data).sample(5, seed=0)
    assert type(samples) is type(data)
    assert samples.shape == (5, *data.shape[1:])
    if isinstance(data, pd.DataFrame):
        pd.testing.assert_series_equal(samples.dtypes, data.dtypes)
    else:
        assert samples.dtype == data.dtype


@pytest.mark.parametrize(
    ("data", "shape"),
    [
        (POINTS.tolist(), (5, 2)),
        (Items(list(POINTS)), (5, 2)),
        (Items([(image, i % 3) for i, image in enumerate(BYTES)]), (5, 8, 8, 3)),
        (TensorDataset(torch.from_numpy(POINTS)), (5, 2)),
        (DataLoader(TensorDataset(torch.from_numpy(POINTS)), batch_size=7, shuffle=True), (5, 2)),
        ([POINTS[:50], POINTS[50:]], (5, 2)),
        (Endless(), (5, 3)),
    ],
    ids=[
        "lists",
        "Dataset",
        "labelled Dataset",
        "TensorDataset",
        "DataLoader",
        "list of batches",
        "IterableDataset",
    ],
)
def test_other_containers_train_too(
    data: Any, shape: tuple[int, ...], tiny: dict[str, Any]
) -> None:
    samples = np.asarray(GAN(**tiny).fit(data).sample(5, seed=0))
    assert samples.shape == shape
    assert np.isfinite(samples).all()


def test_a_generator_trains(tiny: dict[str, Any]) -> None:
    assert GAN(**tiny).fit(POINTS[i : i + 10] for i in range(0, 100, 10)).sample(5).shape == (5, 2)


def test_a_folder_larger_than_the_budget_is_fed_the_same_images(
    tmp_path: Path, image: MakeImage, tiny: dict[str, Any]
) -> None:
    for i in range(40):
        image(tmp_path / f"{'ab'[i % 2]}/{i}.png", seed=i)
    large, small = open_source(tmp_path, memory_budget=SMALL), open_source(tmp_path)
    assert isinstance(large, FetchedSource)
    assert isinstance(small, RowsSource)
    assert "over memory_budget" in large.notes[0]
    assert torch.equal(large.held_out(9, 0), small.held_out(9, 0))
    scaling, cpu = fit_scaling(small, "standard", 0), torch.device("cpu")
    one, other = (source.loader(16, scaling.scaled, cpu, 0) for source in (large, small))
    for _ in range(4):
        (x, y), (x_small, y_small) = one.next(), other.next()
        assert torch.equal(x, x_small)
        assert torch.equal(y, y_small)
    samples = GAN(**tiny, memory_budget=SMALL).fit(tmp_path).sample(3)
    assert (samples.shape, samples.dtype) == ((3, 8, 8, 3), np.uint8)


def test_a_dataset_larger_than_the_budget_trains_conditionally(tiny: dict[str, Any]) -> None:
    data = TensorDataset(torch.from_numpy(BYTES), torch.arange(60) % 3)
    gan = GAN(**tiny, memory_budget=SMALL, conditional=True).fit(data)
    assert gan.sample(4, label=2).shape == (4, 8, 8, 3)


def test_a_truncated_jpeg_is_named_and_the_rest_trains(
    tmp_path: Path, image: MakeImage, tiny: dict[str, Any]
) -> None:
    for i in range(30):
        image(tmp_path / f"{i:02}.jpg", size=(16, 16), seed=i)
    whole = (tmp_path / "07.jpg").read_bytes()
    (tmp_path / "07.jpg").write_bytes(whole[: len(whole) // 2])
    source = open_source(tmp_path)
    assert source.training_rows == 29 - 2
    assert "1 of 30 files left out: 1 unreadable (07.jpg: " in source.notes[0]
    assert GAN(**tiny).fit(tmp_path).sample(2).shape == (2, 16, 16, 3)


def test_labels_handed_over_make_the_generator_conditional_and_labels_in_the_data_do_not(
    tiny: dict[str, Any],
) -> None:
    kinds = ["u", "v"] * 50
    assert GAN(**tiny).fit(POINTS, kinds).sample(5, label="v").shape == (5, 2)
    assert open_source(POINTS, kinds).labels_given
    assert not open_source(TensorDataset(torch.zeros(9, 2).normal_(), torch.arange(9))).labels_given


def test_labels_given_with_a_dataset_are_the_ones_used() -> None:
    source = open_source(Items([(point, 0) for point in POINTS]), ["u", "v"] * 50)
    assert source.schema.classes == ("u", "v")


def test_a_file_named_mnist_is_not_taken_for_the_digits(tmp_path: Path) -> None:
    np.save(tmp_path / "mnist.npy", POINTS)
    assert not open_source(tmp_path / "mnist.npy").is_digits


def test_a_distribution_is_described_and_found_again() -> None:
    described = open_source("mixture").describe()
    assert described.distribution == open_source("mixture").distribution
    again = open_again(described, label_column=None, memory_budget=4.0, split_seed=0)
    assert again.fingerprint == described.fingerprint


def test_a_file_is_found_again_unless_it_has_changed(tmp_path: Path) -> None:
    path = tmp_path / "a.npy"
    np.save(path, POINTS)
    source = open_source(path, split_seed=4)
    again = open_again(source.describe(), label_column=None, memory_budget=4.0, split_seed=4)
    assert torch.equal(again.held_out(99, 0), source.held_out(99, 0))
    np.save(path, POINTS + 1)
    with pytest.raises(RequestError, match=r"a\.npy has changed since this run was trained on it"):
        open_again(source.describe(), label_column=None, memory_budget=4.0, split_seed=4)


def test_data_handed_over_in_python_cannot_be_found_again() -> None:
    with pytest.raises(RequestError, match="give data to evaluate against"):
        open_again(
            open_source(POINTS).describe(), label_column=None, memory_budget=4.0, split_seed=0
        )


def test_data_whose_labels_were_handed_over_in_python_is_not_said_to_have_changed(
    tmp_path: Path,
) -> None:
    np.save(tmp_path / "a.npy", POINTS)
    described = open_source(tmp_path / "a.npy", ["u", "v"] * 50).describe()
    with pytest.raises(
        RequestError, match="trained with labels passed in Python: give data and labels"
    ):
        open_again(described, label_column=None, memory_budget=4.0, split_seed=0)


def test_an_unknown_source_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(
        RequestError, match="no file, folder or built-in source 'gausian': did you mean 'gaussian'"
    ):
        open_source("gausian")


@pytest.mark.parametrize(
    ("data", "settings", "message"),
    [
        (None, {}, "data of type NoneType: give an array"),
        ([[1.0, 2.0], [3.0]], {}, "rows of different lengths"),
        ([], {}, "is empty"),
        (Items([]), {}, "Dataset is empty"),
        (Items([np.zeros(2), np.zeros(3)]), {}, r"sample 1 has shape \(3,\), the first has \(2,\)"),
        (Items(["a", "b"]), {}, "has type <U1: give numbers"),
        (
            Items([np.zeros((8, 8), np.uint8)] * 9),
            {"memory_budget": SMALL},
            "one distinct value, 0",
        ),
        (POINTS[:1], {}, "one sample: give at least one batch"),
        ("gaussian", {"labels": [1, 2]}, "gaussian cannot take any"),
        ("gaussian", {"label_column": "a"}, "label_column = 'a': gaussian has no columns"),
        (POINTS, {"label_column": "a"}, "label_column = 'a': array has no columns"),
        (
            Items([(np.arange(2.0) + i, i % 2) for i in range(9)]),
            {"label_column": "a"},
            "label_column = 'a': dataset has no columns",
        ),
        (iter([POINTS]), {"labels": [1] * 100}, "a stream cannot take any: give batches as pairs"),
        (
            pd.DataFrame({"a": [1, 2]}),
            {"label_column": "b"},
            "'b' is not in the DataFrame: known: a",
        ),
    ],
)
def test_data_that_cannot_be_opened_is_refused_with_a_remedy(
    data: Any, settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(RequestError, match=message):
        open_source(data, **settings)


def test_not_finite_values_of_a_dataset_are_found_when_they_are_read(tiny: dict[str, Any]) -> None:
    points = POINTS.copy()
    points[:, 1] = np.nan
    with pytest.raises(RequestError, match=r"batch of the Dataset has \d+ NaN"):
        GAN(**tiny, memory_budget=SMALL).fit(Items(list(points)))


def test_a_folder_that_moved_is_missed_by_name(tmp_path: Path, image: MakeImage) -> None:
    for i in range(4):
        image(tmp_path / f"images/{i}.png", seed=i)
    described = open_source(tmp_path / "images").describe()
    shutil.rmtree(tmp_path / "images")
    with pytest.raises(RequestError, match=r"no file, folder or built-in source .*images"):
        open_again(described, label_column=None, memory_budget=4.0, split_seed=0)


@pytest.fixture
def folder(tmp_path: Path, image: MakeImage) -> Path:
    """A folder of sixty images in two classes."""
    for i in range(60):
        image(tmp_path / f"images/{'ab'[i % 2]}/{i:02}.png", seed=i)
    return tmp_path / "images"


def test_a_folder_trains_to_the_same_bits_whether_memory_holds_it_or_not(
    folder: Path, tiny: dict[str, Any]
) -> None:
    samples = [
        GAN(**tiny, memory_budget=budget).fit(folder).sample(5, seed=0) for budget in (SMALL, 4.0)
    ]
    np.testing.assert_array_equal(*samples)


def test_a_folder_that_is_not_kept_trains_to_the_same_bits_and_says_why(
    folder: Path, tiny: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = GAN(**tiny).fit(folder).sample(5, seed=0)
    fingerprint = open_source(folder).fingerprint
    monkeypatch.setattr(cache, "data_home", lambda: folder / "a/00.png")  # where no folder can be
    for budget in (SMALL, 4.0):
        source = open_source(folder, memory_budget=budget)
        assert source.notes[0].startswith(
            f"decoded images cannot be cached in {folder}/a/00.png/images: Not a directory"
        )
        assert source.fingerprint == fingerprint
        np.testing.assert_array_equal(
            GAN(**tiny, memory_budget=budget).fit(folder).sample(5, seed=0), kept
        )
    assert "decoded again for every batch" in open_source(folder, memory_budget=SMALL).notes[1]


def test_a_folder_is_known_by_its_content_whatever_holds_it_and_by_labels_handed_over(
    folder: Path,
) -> None:
    sources = [open_source(folder, memory_budget=budget) for budget in (SMALL, 4.0)]
    assert sources[0].fingerprint == sources[1].fingerprint
    copied = shutil.copytree(folder, folder.parent / "copied")
    assert open_source(copied).fingerprint == sources[0].fingerprint
    labelled = {
        open_source(folder, labels).fingerprint
        for labels in (["u", "v"] * 30, ["u", "w"] * 30, ["v", "u"] * 30)
    }
    assert len(labelled | {sources[0].fingerprint}) == 4
    again = open_again(sources[0].describe(), label_column=None, memory_budget=4.0, split_seed=0)
    assert torch.equal(again.held_out(99, 0), sources[0].held_out(99, 0))


def test_labels_of_a_folder_stay_with_their_images(folder: Path, image: MakeImage) -> None:
    expected = {
        image(folder.parent / "x.png", seed=i).transpose(2, 0, 1).tobytes(): i % 2
        for i in range(60)
    }
    for budget in (SMALL, 4.0):
        source = open_source(folder, memory_budget=budget)
        for held_out in (False, True):
            found = source.labelled(99, 0, held_out=held_out)
            assert found is not None
            assert [expected[row.numpy().tobytes()] for row in found[0]] == found[1].tolist()


@pytest.mark.parametrize("budget", [SMALL, 4.0])
def test_the_scaling_of_a_folder_is_that_of_its_training_part(folder: Path, budget: float) -> None:
    source = open_source(folder, memory_budget=budget)
    raw, scaling = source.seen(99, 0).double(), fit_scaling(source, "standard", 0)
    assert len(raw) == 54
    assert scaling.shift[0] == pytest.approx(float(raw.mean()), rel=1e-12)
    assert scaling.scale[0] == pytest.approx(float(raw.std(correction=0)), rel=1e-12)


@pytest.mark.parametrize("budget", [SMALL, 4.0])
def test_a_folder_of_one_grey_is_refused(tmp_path: Path, budget: float) -> None:
    for i in range(4):
        Image.fromarray(np.full((5, 6), 9, np.uint8)).save(tmp_path / f"{i}.png")
    with pytest.raises(RequestError, match="has one distinct value, 9: there is no distribution"):
        open_source(tmp_path, memory_budget=budget)


ROWS = TensorDataset(torch.arange(100.0).reshape(100, 1))


@pytest.mark.parametrize(
    "loader",
    [
        DataLoader(
            ROWS, batch_sampler=BatchSampler(SubsetRandomSampler(range(20)), 5, drop_last=False)
        ),
        DataLoader(ROWS, sampler=SequentialSampler(range(20)), batch_size=5),
        DataLoader(ROWS, sampler=RandomSampler(range(20)), batch_size=5),
    ],
)
def test_a_loader_that_leaves_rows_out_is_not_looked_behind(loader: DataLoader[Any]) -> None:
    source = open_source(loader)
    seen = torch.cat([source.held_out(100, 0), source.seen(100, 0)])
    assert sorted(seen.flatten().tolist()) == list(range(20))


def test_a_loader_of_a_plain_list_gives_its_samples_and_labels() -> None:
    items = [(POINTS[i], i % 2) for i in range(len(POINTS))]
    schema = open_source(DataLoader(items, batch_size=7)).schema
    assert (schema.shape, schema.classes) == ((2,), (0, 1))

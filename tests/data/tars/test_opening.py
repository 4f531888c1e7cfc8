"""Tars of samples, as they are opened and trained on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.helpers import npy, png, write_tar

from equipoise import GAN
from equipoise.data.datasets import FetchedSource
from equipoise.data.factory import open_again, open_source
from equipoise.data.images import cache
from equipoise.data.sources import RowsSource
from equipoise.errors import RequestError

SMALL = 1e-6  # GiB
NAMES = ("cat", "cow", "dog")


@pytest.fixture(autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EQUIPOISE_DATA", str(tmp_path_factory.mktemp("home")))


def pixels(i: int, size: int = 8) -> np.ndarray[Any, Any]:
    return np.random.default_rng(i).integers(0, 256, (size, size, 3), np.uint8)


def shards(folder: Path, label: str = "cls", n: int = 30, parts: int = 3) -> Path:
    """Labelled images in some tars."""
    folder.mkdir(exist_ok=True)
    of_label = {
        "cls": lambda i: str(i % 3).encode(),
        "json": lambda i: json.dumps({"label": NAMES[i % 3], "width": 8}).encode(),
        "txt": lambda i: f"a photo of a {NAMES[i % 3]}".encode(),
    }
    for part, rows in enumerate(np.array_split(np.arange(n), parts)):
        files = {}
        for i in map(int, rows):
            files[f"./in/{i:06}.png"] = png(pixels(i))
            if label:
                files[f"./in/{i:06}.{label}"] = of_label[label](i)
        write_tar(folder / f"shard-{part:03}.tar", files)
    return folder


@pytest.mark.parametrize(
    ("label", "classes"),
    [
        ("cls", (0, 1, 2)),
        ("json", NAMES),
        ("txt", tuple(f"a photo of a {name}" for name in NAMES)),
        ("", None),
    ],
)
@pytest.mark.parametrize("budget", [SMALL, 4.0])
def test_samples_of_tars_keep_their_labels(
    tmp_path: Path, label: str, classes: tuple[Any, ...] | None, budget: float
) -> None:
    source = open_source(shards(tmp_path / "data", label), memory_budget=budget)
    assert isinstance(source, RowsSource if budget > 1 else FetchedSource)
    assert (source.name, source.schema.shape, source.schema.classes) == ("data", (3, 8, 8), classes)
    assert source.notes[0] == "30 images in 3 .tar files"
    number_of = {pixels(i).transpose(2, 0, 1).tobytes(): i for i in range(30)}
    rows = torch.cat([source.seen(99, 0), source.held_out(99, 0)])
    assert sorted(number_of[row.numpy().tobytes()] for row in rows) == list(range(30))
    if classes is not None:
        found = source.labelled(99, 0, held_out=False)
        assert found is not None
        assert [number_of[row.numpy().tobytes()] % 3 for row in found[0]] == found[1].tolist()


def test_tars_train_to_the_same_bits_in_memory_cached_and_streamed(
    tmp_path: Path, tiny: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    data = shards(tmp_path / "data")
    samples = [
        GAN(**tiny, memory_budget=budget).fit(data).sample(5, seed=0) for budget in (4.0, SMALL)
    ]
    monkeypatch.setattr(cache, "SPARE_BYTES", 2**80)
    monkeypatch.setattr(cache, "data_home", lambda: tmp_path / "another")
    streamed = open_source(data, memory_budget=SMALL)
    assert "decoded again for every batch" in " ".join(streamed.notes)
    samples.append(GAN(**tiny, memory_budget=SMALL).fit(data).sample(5, seed=0))
    for other in samples[1:]:
        np.testing.assert_array_equal(samples[0], other)


def test_one_tar_and_a_pattern_name_the_same_samples_as_the_folder(tmp_path: Path) -> None:
    data = shards(tmp_path / "data")
    whole, pattern = open_source(data), open_source(str(data / "shard-{000..002}.tar"))
    assert whole.fingerprint == pattern.fingerprint
    assert pattern.name == "shard"
    some = open_source(data / "shard-{000,002}.tar")
    assert (some.training_rows or 0) + (some.test_rows or 0) == 20
    one = open_source(data / "shard-001.tar")
    assert (one.name, one.training_rows) == ("shard-001", 9)
    again = open_again(pattern.describe(), label_column=None, memory_budget=4.0, split_seed=0)
    assert torch.equal(again.held_out(99, 0), whole.held_out(99, 0))


def test_a_tar_of_a_folder_of_images_has_its_folders_as_classes(tmp_path: Path) -> None:
    for around in ("", "./", "pets/"):
        files = {
            f"{around}{name}/{i}.png": png(pixels(i + 9 * j))
            for j, name in enumerate("ab")
            for i in (1, 2)
        }
        source = open_source(write_tar(tmp_path / "a.tar", files))
        assert source.schema.classes == ("a", "b")


@pytest.mark.parametrize("budget", [SMALL, 4.0])
def test_arrays_of_tars_are_samples(tmp_path: Path, budget: float) -> None:
    x = np.random.default_rng(0).normal(size=(30, 5)).astype(np.float32)
    files = {f"{i}.npy": npy(row) for i, row in enumerate(x)}
    labels = {f"{i}.cls": f"{i % 2}".encode() for i in range(30)}
    data = write_tar(tmp_path / "a.tar", {**files, **labels})
    source = open_source(data, memory_budget=budget)
    assert (source.schema.shape, source.schema.dtype) == ((5,), "float32")
    assert source.schema.classes == (0, 1)
    assert source.fingerprint == open_source(data).fingerprint
    rows = torch.cat([source.seen(99, 0), source.held_out(99, 0)]).numpy()
    np.testing.assert_array_equal(np.sort(rows[:, 0]), np.sort(x[:, 0]))
    found = source.labelled(99, 0, held_out=True)
    assert found is not None
    assert [x[:, 0].tolist().index(row[0]) % 2 for row in found[0].tolist()] == found[1].tolist()


def test_samples_that_were_written_as_a_tar_can_be_trained_on(
    tmp_path: Path, tiny: dict[str, Any]
) -> None:
    gan = GAN(**tiny, conditional=True).fit(shards(tmp_path / "data"))
    gan.write_samples(tmp_path / "samples.tar", 20)
    source = open_source(tmp_path / "samples.tar")
    assert source.schema.shape == (3, 8, 8)
    assert set(source.schema.classes or ()) <= {0, 1, 2}


def test_files_that_are_not_used_beside_images_are_told(tmp_path: Path) -> None:
    files: dict[str, bytes] = {}
    for i in range(6):
        files |= {f"{i}.png": png(pixels(i)), f"{i}.cls": f"{i % 2}".encode()}
        files |= {f"{i}.json": b"{}", f"{i}.mask.png": png(pixels(9))}
    source = open_source(write_tar(tmp_path / "a.tar", files))
    assert source.schema.classes == (0, 1)
    assert "not used: 12 files beside the images (.json, .mask.png)" in source.notes


def test_files_that_are_left_out_beside_arrays_are_listed_and_told(tmp_path: Path) -> None:
    arrays = {f"{i}.npy": npy(np.array([i, i * i])) for i in range(30)}
    hidden = {"__MACOSX/._0.npy": b"", ".cache/1.npy": b""}
    write_tar(tmp_path / "a.tar", {**arrays, **hidden})
    (tmp_path / "README.md").touch()
    source = open_source(tmp_path)
    assert [(one.name, str(one)) for one in source.left_out] == [
        ("README.md", "of an unknown ending: .md"),
        ("a.tar/__MACOSX/._0.npy", "hidden"),
        ("a.tar/.cache/1.npy", "hidden"),
    ]
    assert source.notes[1].startswith("3 of 33 files left out: 1 of an unknown ending (.md)")


def test_images_of_several_sizes_are_resized_as_those_of_a_folder(tmp_path: Path) -> None:
    files = {f"{i}.png": png(pixels(i, 8 if i % 3 else 12)) for i in range(12)}
    files["99.png"] = b"no image"
    source = open_source(write_tar(tmp_path / "a.tar", files))
    assert source.schema.shape == (3, 8, 8)
    told = " ".join(source.notes)
    assert "1 of 13 files left out: 1 unreadable (a.tar/99.png" in told
    assert "4 of 12 images were not 8 x 8" in told
    assert source.resized is not None
    assert next(place.name for place in source.resized.places) == "a.tar/0.png"


IMAGE = png(pixels(0))


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "a.tar holds no samples: give a .tar of images"),
        ({"a.txt": b"x"}, "a.tar holds no samples"),
        ({"a.png": IMAGE, "b.cls": b"1"}, "the sample b has no image and no array, only .cls"),
        ({"a.png": IMAGE, "a.jpg": IMAGE}, "a.png has several images, png, jpg|several images"),
        ({"a.png": IMAGE, "a.PNG": IMAGE}, "has a.PNG twice"),
        ({"a.png": IMAGE, "b.npy": npy(np.ones(2))}, "a.tar/a.png is one of images, .*arrays"),
        (
            {"a.png": IMAGE, "a.cls": b"1", "b.png": IMAGE},
            "1 of 2 samples have no label in .cls as the others do, the first a.tar/b.png",
        ),
        (
            {"a.png": IMAGE, "a.cls": b"1", "b.png": IMAGE, "b.json": b"4"},
            "have no label in .* as the others do",
        ),
        ({"a.png": IMAGE, "a.cls": b" "}, "a.cls is empty: give the number or the name"),
        ({"a.png": IMAGE, "a.cls": b"\xff"}, "a.cls is no text: write it as UTF-8"),
        ({"a.png": IMAGE, "a.cls": b"1" * 2000}, "a.cls has 2,000 bytes, too many for a label"),
        ({"a.png": IMAGE, "a.json": b"{"}, "a.json cannot be read as JSON"),
        ({"a.png": IMAGE, "a.json": b"[" * 100_000}, "a.json cannot be read as JSON"),
        (
            {"a.npy": npy(np.ones(2)), "b.npy": npy(np.ones(3))},
            r"b.npy has shape \(3,\) and type float64, the first sample has \(2,\)",
        ),
        ({"a.npy": b"junk", "b.npy": b"junk"}, "a.npy cannot be read as .npy"),
        (
            {"a.npy": npy(np.ones(2)), "b.npy": npy(np.array([1.0, np.nan]))},
            "a has 1 NaN or infinite values, the first .NaN. at row 1",
        ),
    ],
)
@pytest.mark.parametrize("budget", [1e-9, 4.0])
def test_tars_that_cannot_be_learned_are_refused_in_a_line(
    tmp_path: Path, files: dict[str, bytes], message: str, budget: float
) -> None:
    with pytest.raises(RequestError, match=message) as refused:
        open_source(write_tar(tmp_path / "a.tar", files), memory_budget=budget)
    assert "\n" not in str(refused.value)

"""Subfolders are classes, or the parts of a split; dataset.json gives labels."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from equipoise.data.factory import open_again, open_source
from equipoise.data.images.arrangement import LABELS_FILE, arrangement_of
from equipoise.data.images.folder import scan

MakeImage = Callable[..., Any]
SMALL = 1e-9  # GiB: less than any data


def test_train_and_test_are_a_split_and_the_folders_below_are_classes() -> None:
    names = ["Test/b/4.png", "train/a/1.png", "train/a/2.png", "train/b/3.png"]
    found = arrangement_of(Path("nowhere"), names)
    assert found.parts == ("test", "train", "train", "train")
    assert found.labels == ("b", "a", "a", "b")
    assert found.notes == ("folders are a split (train 3, test 1), not classes: test is held out",)


@pytest.mark.parametrize("around", ["", "pets/", "./", "./pets/images/"])
def test_folders_around_all_images_hide_neither_classes_nor_a_split(around: str) -> None:
    classes = arrangement_of(None, [f"{around}{name}" for name in ("cat/1.png", "dog/2.png")])
    assert (classes.labels, classes.parts) == (("cat", "dog"), None)
    names = ["test/cat/1.png", "train/cat/2.png", "train/dog/3.png"]
    split = arrangement_of(None, [f"{around}{name}" for name in names])
    assert (split.labels, split.parts) == (("cat", "cat", "dog"), ("test", "train", "train"))
    assert arrangement_of(None, [f"{around}{i}.png" for i in range(3)]).labels is None


@pytest.mark.parametrize("other", ["extra/3.png", "3.png"])
def test_folders_that_other_images_keep_from_being_a_split_are_told(other: str) -> None:
    found = arrangement_of(None, ["train/1.png", "Test/2.png", other])
    assert found.parts is None
    assert found.notes == (
        "the folders Test, train are no split, since 1 of 3 images lie outside of them, the "
        f"first {other}: move those away to hold out what is not in train",
    )
    assert arrangement_of(None, ["train/1.png", other]).notes == ()


def test_the_classes_of_a_training_folder_alone_are_found() -> None:
    found = arrangement_of(None, ["train/cat/1.png", "train/dog/2.png"])
    assert (found.labels, found.parts) == (("cat", "dog"), None)


@pytest.mark.parametrize(
    "names",
    [
        ["train/1.png", "other/2.png"],
        ["train/1.png", "test/2.png", "3.png"],
        ["test/1.png", "val/2.png"],
        ["train/1.png", "training/2.png"],
    ],
)
def test_other_folders_are_no_split(names: list[str]) -> None:
    assert arrangement_of(Path("nowhere"), names).parts is None


@pytest.mark.parametrize("budget", [SMALL, 4.0])
def test_what_is_in_the_test_folder_is_held_out_and_val_is_for_validation(
    tmp_path: Path, image: MakeImage, budget: float
) -> None:
    pixels: dict[str, set[bytes]] = {"train": set(), "test": set(), "valid": set()}
    for i in range(30):
        part = ("train", "train", "test", "valid", "train")[i % 5]
        made = image(tmp_path / part / f"{i}.png", seed=i)
        pixels[part].add(made.transpose(2, 0, 1).tobytes())
    source = open_source(tmp_path, memory_budget=budget)
    drawn = {
        "train": source.seen(99, 0),
        "test": source.held_out(99, 0),
        "valid": source.validation(99, 0),
    }
    for part, rows in drawn.items():
        assert {row.numpy().tobytes() for row in rows} == pixels[part]
    assert (source.training_rows, source.test_rows, source.schema.classes) == (18, 6, None)
    again = open_again(source.describe(), label_column=None, memory_budget=4.0, split_seed=9)
    assert torch.equal(again.held_out(99, 0), drawn["test"])


def test_without_test_the_val_folder_is_held_out(tmp_path: Path, image: MakeImage) -> None:
    for i in range(10):
        image(tmp_path / ("val" if i < 3 else "train") / f"{i}.png", seed=i)
    source = open_source(tmp_path)
    assert (source.training_rows, source.test_rows) == (7, 3)
    assert torch.equal(source.validation(9, 0), source.held_out(9, 0))


def test_a_split_folder_named_mnist_is_not_taken_for_the_digits(
    tmp_path: Path, image: MakeImage
) -> None:
    for i in range(9):
        image(tmp_path / "mnist" / ("test" if i < 3 else "train") / f"{i}.png", seed=i)
    assert not open_source(tmp_path / "mnist").is_digits


@pytest.fixture
def stylegan(tmp_path: Path, image: MakeImage) -> Path:
    """Images in numbered folders, as StyleGAN's tool arranges them."""
    for i in range(6):
        image(tmp_path / f"0000{i // 3}/img{i}.png", seed=i)
    return tmp_path


def labelled(root: Path, labels: Any) -> None:
    (root / LABELS_FILE).write_text(json.dumps({"labels": labels}))


def test_dataset_json_gives_labels(stylegan: Path) -> None:
    pairs = [[f"0000{i // 3}/img{i}.png", i % 2] for i in range(6)]
    labelled(stylegan, pairs[::-1])
    folder = scan(stylegan)
    assert folder.arrangement.labels == (0, 1, 0, 1, 0, 1)
    assert folder.left_out == ()
    first = open_source(stylegan)
    assert (first.schema.classes, first.schema.class_counts) == ((0, 1), (3, 3))
    assert "labels are from dataset.json" in first.notes
    labelled(stylegan, [[name, 1 - label] for name, label in pairs])
    assert open_source(stylegan).fingerprint != first.fingerprint


@pytest.mark.parametrize("around", ["photos", "photos/images"])
@pytest.mark.parametrize("images_per_folder", [3, 6])
def test_dataset_json_is_read_below_folders_around_all_images(
    tmp_path: Path, image: MakeImage, around: str, images_per_folder: int
) -> None:
    inner = tmp_path / around
    names = [f"0000{i // images_per_folder}/img{i}.png" for i in range(6)]
    for i, name in enumerate(names):
        image(inner / name, seed=i)
    hidden = tmp_path / "__MACOSX/photos/._dataset.json"
    hidden.parent.mkdir(parents=True)
    hidden.touch()
    labelled(inner, [[name, i % 2] for i, name in enumerate(names)])
    folder = scan(tmp_path)
    assert folder.arrangement.labels == (0, 1, 0, 1, 0, 1)
    assert folder.arrangement.notes == (f"labels are from {around}/dataset.json",)
    assert [one.name for one in folder.left_out] == ["__MACOSX/photos/._dataset.json"]


def test_of_several_dataset_json_the_outermost_is_read_and_others_are_told(
    tmp_path: Path, image: MakeImage
) -> None:
    for i in range(4):
        image(tmp_path / f"photos/{'ab'[i // 2]}/{i}.png", seed=i)
    outer = [[f"photos/{'ab'[i // 2]}/{i}.png", i % 2] for i in range(4)]
    labelled(tmp_path, outer)
    for place in ("photos", "photos/a"):
        labelled(tmp_path / place, [["0.png", 0]])
    folder = scan(tmp_path)
    assert folder.arrangement.labels == (0, 1, 0, 1)
    others = ["photos/a/dataset.json", "photos/dataset.json"]
    assert [one.name for one in folder.left_out] == others


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("{", "cannot be read as JSON"),
        ("[" * 100_000, "cannot be read as JSON"),
        ("[]", "it has no labels"),
        ('{"labels": null}', "it has no labels"),
        ('{"labels": {"a": 1}}', "not pairs of a path"),
        ('{"labels": [["00000/img0.png", [0.5, 1]]]}', "not pairs of a path"),
        ('{"labels": [["00000/img0.png", 3]]}', "no label for 5 of 6 images, the first 00000/img1"),
    ],
)
def test_a_dataset_json_that_says_nothing_is_told_and_folders_are_the_classes(
    stylegan: Path, content: str, why: str
) -> None:
    (stylegan / LABELS_FILE).write_text(content)
    found = scan(stylegan).arrangement
    assert why in found.notes[0]
    assert found.labels == ("00000",) * 3 + ("00001",) * 3


def test_classes_that_are_not_learned_are_said_with_what_to_type(
    here: Path, image: MakeImage, command: Any
) -> None:
    for i in range(30):
        image(here / f"pets/{('cat', 'dog')[i % 3 == 0]}/{i}.png", seed=i)
    brief = ("--samples", "64", "--batch-size", "16", "--evaluate", "none")
    told = "2 classes (cat 20, dog 10) are not learned: to learn them type "
    assert f"{told}--conditional" in command("train", "pets", "--out", "a", *brief).out
    answer = command("train", "pets", "--recipe", "infogan", "--out", "b", *brief)
    assert f"{told}--recipe balanced --conditional" in answer.out
    learned = command("train", "pets", "--conditional", "--out", "c", *brief)
    assert "not learned" not in learned.out

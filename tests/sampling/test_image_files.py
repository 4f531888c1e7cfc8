"""Samples as files: the images that `sample` gives, in the data's own arrangement."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from equipoise import GAN
from equipoise.errors import RequestError

RNG = np.random.default_rng(0)
X = RNG.integers(0, 256, (40, 8, 6, 3)).astype(np.uint8)


def pixels(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path))


def test_files_are_the_images_that_sample_gives(tmp_path: Path, tiny: dict[str, Any]) -> None:
    gan = GAN(**tiny).fit(X)
    place = gan.write_samples(tmp_path / "out", 5, seed=3)
    files = sorted(place.iterdir())
    assert [file.name for file in files] == [f"00000{i}.png" for i in range(5)]
    np.testing.assert_array_equal([pixels(file) for file in files], gan.sample(5, seed=3))


def test_labels_become_folders_and_in_a_tar_the_class_beside_each(
    tmp_path: Path, tiny: dict[str, Any]
) -> None:
    gan = GAN(**tiny).fit(X, labels=["cat", "../../dog"] * 20)
    gan.write_samples(tmp_path / "out", 30, seed=3)
    folders = {path.name: len(list(path.iterdir())) for path in (tmp_path / "out").iterdir()}
    assert folders.keys() == {"cat", "_.._dog"}
    assert sum(folders.values()) == 30
    gan.write_samples(tmp_path / "out.tar", 30, seed=3)
    classes = {"cat": gan.schema.class_index("cat"), "_.._dog": gan.schema.class_index("../../dog")}
    with tarfile.open(tmp_path / "out.tar") as tar:
        names = tar.getnames()
        assert names[:2] == ["000000.png", "000000.cls"]
        for file in (tmp_path / "out").rglob("*.png"):
            beside = tar.extractfile(f"{file.stem}.cls")
            image = tar.extractfile(file.name)
            assert beside is not None
            assert image is not None
            assert beside.read() == str(classes[file.parent.name]).encode()
            np.testing.assert_array_equal(
                np.asarray(Image.open(io.BytesIO(image.read()))), pixels(file)
            )
    gan.write_samples(tmp_path / "cats", 3, label="cat", seed=3)
    assert len(list((tmp_path / "cats").glob("*.png"))) == 3


@pytest.mark.parametrize("classes", [("a/b", "a b"), ("", "x"), ("..", "A")])
def test_labels_whose_folders_would_clash_are_numbered(
    tmp_path: Path, tiny: dict[str, Any], classes: tuple[str, str]
) -> None:
    gan = GAN(**tiny).fit(X, labels=[*classes] * 20)
    gan.write_samples(tmp_path / "out", 30, seed=3)
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"class-0", "class-1"}


def test_points_in_an_archive_are_refused(tmp_path: Path, tiny: dict[str, Any]) -> None:
    gan = GAN(**tiny).fit(RNG.normal(size=(100, 2)))
    with pytest.raises(RequestError, match=r"out\.zip': only images go into one such file"):
        gan.write_samples(tmp_path / "out.zip", 3)
    assert not list(tmp_path.iterdir())


def test_a_folder_gives_a_folder_that_can_be_trained_on_again(
    here: Path, image: Any, command: Any
) -> None:
    for i in range(20):
        image(here / f"in/{i}.bmp", size=(7, 5), seed=i)
    brief = ("--samples", "64", "--batch-size", "16", "--evaluate", "none")
    answer = command("train", "in", "--out", "run", *brief)
    assert "equipoise sample run -n 1000 --out samples\n" in answer.out
    for out in ("samples", "samples.zip", "samples.tar"):
        answer = command("sample", "run", "-n", "12", "--out", out)
        assert (answer.status, answer.out) == (0, f"Wrote {out}: 12 images\n")
    assert "7 x 5 RGB images, 11 to" in command("train", "samples", "--out", "b", *brief).out
    assert "exists" in command("sample", "run", "--out", "samples").err
    assert "or be a folder" in command("sample", "run", "--out", "x.txt").err
    assert command("sample", "run", "-n", "1", "--out", "one.png").status == 0
    assert Image.open(here / "one.png").size == (7, 5)

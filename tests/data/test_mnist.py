from __future__ import annotations

import gzip
import hashlib
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import numpy as np
import pytest

from equipoise.data import mnist
from equipoise.data.downloads import NotDownloadedError
from equipoise.data.factory import open_source
from equipoise.errors import EquipoiseError


@pytest.fixture
def tiny_mnist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data home with files of MNIST's form that hold three digits, under their own
    checksums."""
    folder = tmp_path / "mnist"
    folder.mkdir()
    sums = {}
    for name in mnist.SHA256:
        body = bytes(range(3)) if "labels" in name else bytes(3 * 28 * 28)
        content = bytes(mnist.LABELS_HEADER if "labels" in name else mnist.IMAGES_HEADER) + body
        (folder / name).write_bytes(content)
        sums[name] = hashlib.sha256(content).hexdigest()
    monkeypatch.setenv("EQUIPOISE_DATA", str(tmp_path))
    monkeypatch.setattr(mnist, "SHA256", sums)
    return folder


@pytest.mark.usefixtures("mnist_home")
def test_the_published_digits_are_all_there() -> None:
    images, digits = mnist.load("train")
    assert (images.shape, images.dtype, digits.shape) == ((60_000, 28, 28), np.uint8, (60_000,))
    assert np.bincount(digits).tolist() == [
        5923,
        6742,
        5958,
        6131,
        5842,
        5421,
        5918,
        6265,
        5851,
        5949,
    ]  # as its authors count them
    assert mnist.load("test")[0].shape == (10_000, 28, 28)


@pytest.mark.usefixtures("mnist_home")
def test_mnist_holds_out_its_own_test_split_and_trains_on_all_the_rest() -> None:
    source = open_source("mnist")
    assert source.training_rows == 60_000
    np.testing.assert_array_equal(source.held_out(10_000, 0)[:, 0], mnist.load("test")[0])
    assert source.schema.classes == tuple(range(10))
    assert (source.is_digits, source.labels_given) == (True, False)


def test_files_may_be_compressed_or_not(tiny_mnist: Path) -> None:
    name = "train-images-idx3-ubyte"
    plain = mnist.load("train")
    (tiny_mnist / f"{name}.gz").write_bytes(gzip.compress((tiny_mnist / name).read_bytes()))
    (tiny_mnist / name).unlink()
    np.testing.assert_array_equal(mnist.load("train")[0], plain[0])
    assert plain[1].tolist() == [0, 1, 2]


@pytest.mark.parametrize("damage", [b"", b"\x1f\x8bbroken", b"other"])
def test_a_file_that_is_not_the_published_one_is_named(tiny_mnist: Path, damage: bytes) -> None:
    (tiny_mnist / "t10k-labels-idx1-ubyte").write_bytes(damage)
    with pytest.raises(
        EquipoiseError,
        match=r"t10k-labels-idx1-ubyte is not the published MNIST file: .*; delete it",
    ):
        mnist.load("test")


def test_without_files_or_network_it_says_where_to_put_the_four_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_network(*_: object) -> NoReturn:
        raise NotDownloadedError("example.org: no route")

    monkeypatch.setenv("EQUIPOISE_DATA", str(tmp_path))
    monkeypatch.setattr(mnist, "download", no_network)
    with pytest.raises(
        EquipoiseError,
        match=r"could not be downloaded \(example.org: no route\): "
        r"put train-images-idx3-ubyte\.gz, .* there",
    ) as error:
        mnist.load("train")
    assert str(tmp_path / "mnist") in str(error.value)


def test_what_is_downloaded_is_checked_against_what_was_published_and_used(
    tiny_mnist: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "train-labels-idx1-ubyte"
    packed = gzip.compress((tiny_mnist / name).read_bytes())
    (tiny_mnist / name).unlink()
    asked = []

    def answer(urls: list[str], path: Path, is_whole: Callable[[bytes], bool], _: int) -> bytes:
        asked.append(
            (
                urls,
                path.name,
                is_whole(packed),
                is_whole(packed[:-9]),
                is_whole(gzip.compress(b"other")),
            )
        )
        return packed

    monkeypatch.setattr(mnist, "download", answer)
    assert mnist.load("train")[1].tolist() == [0, 1, 2]
    assert asked == [
        ([f"{mirror}{name}.gz" for mirror in mnist.MIRRORS], f"{name}.gz", True, True, False)
    ]


def test_a_file_that_would_swell_is_unpacked_no_further_than_the_largest_published_one(
    tiny_mnist: Path,
) -> None:
    bomb = gzip.compress(bytes(200 * 2**20))
    (tiny_mnist / "t10k-labels-idx1-ubyte").write_bytes(bomb)
    tracemalloc.start()
    with pytest.raises(EquipoiseError, match="is not the published MNIST file"):
        mnist.load("test")
    assert tracemalloc.get_traced_memory()[1] < 3 * mnist.MAX_BYTES
    tracemalloc.stop()

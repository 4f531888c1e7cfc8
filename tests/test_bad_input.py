"""What the command line answers to a wrong request: one line that names the thing and
the remedy, and nothing written or lost."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pytest
import torch

from equipoise import GAN
from equipoise.data import mnist

pytestmark = pytest.mark.usefixtures("brief_reports")

Command = Callable[..., Any]
Image = Callable[..., np.ndarray[Any, Any]]
RNG = np.random.default_rng(0)
POINTS = RNG.normal(size=(100, 2))
TINY = ["--samples", "16", "--batch-size", "16", "--width", "8", "--threads", "1"]


def with_holes() -> np.ndarray:
    points = POINTS.copy()
    points[9, 1], points[4, 0], points[4, 1] = np.inf, np.nan, np.nan
    return points


FILES: dict[str, tuple[Callable[[Path], object], str]] = {
    "empty.npy": (
        lambda p: np.save(p, np.empty((0, 2))),
        "empty.npy is empty (shape (0, 2)): give at least one batch of samples",
    ),
    "holes.npy": (
        lambda p: np.save(p, with_holes()),
        "holes.npy has 3 NaN or infinite values, the first (NaN) at row 4, position (0,): "
        "remove or fill them first",
    ),
    "one.npy": (
        lambda p: np.save(p, np.full((100, 2), 3.5)),
        "one.npy has one distinct value, 3.5: there is no distribution to learn; give data "
        "that varies",
    ),
    "single.npy": (lambda p: np.save(p, POINTS[:1]), "give at least one batch of samples"),
    "odd.npy": (
        lambda p: np.save(p, np.zeros((4, 65, 5, 66))),
        "data has shape 4x65x5x66: give (N,) or (N, D) points",
    ),
    "text.npy": (lambda p: np.save(p, np.array(["a", "b"])), "text.npy has type <U1: give numbers"),
    "objects.npy": (
        lambda p: np.save(p, np.array([{}, 1], dtype=object), allow_pickle=True),
        "Python objects, which can run code when read: save it as an array of numbers",
    ),
    "cut.npy": (
        lambda p: (np.save(p, POINTS), p.write_bytes(p.read_bytes()[:-50])),
        "cut.npy says that it holds 1,600 bytes of numbers, and has 1,550: it is cut off",
    ),
    "junk.npz": (lambda p: p.write_bytes(b"PK\x03\x04 junk"), "junk.npz could not be read as .npz"),
    "labels.npz": (
        lambda p: np.savez(p, x=POINTS, y=np.arange(7)),
        "labels: 7 given for 100 samples of labels.npz: give one label per sample",
    ),
    "text.csv": (
        lambda p: p.write_text("a,b\n1,same\n1,same\n1,same\n"),
        "the table has nothing to learn: 3 rows and 2 columns (2 columns the same in all rows)",
    ),
    "empty.csv": (lambda p: p.touch(), "empty.csv could not be read as .csv"),
    "junk.parquet": (
        lambda p: p.write_bytes(b"junk"),
        "junk.parquet could not be read as .parquet",
    ),
    "notes.doc": (
        lambda p: p.touch(),
        "notes.doc has the ending '.doc': give a .csv, .data, .feather, .jsonl, .ndjson, .npy, "
        ".npz, .parquet, .tsv, .txt, .xlsx or .zip (text also with .gz or .zst) file, or a folder "
        "of images",
    ),
    "folder": (
        lambda p: p.mkdir(),
        "folder holds no images: give a folder of .avif, .bmp, .gif, .heic, .heif, .jfif, .jpeg, ",
    ),
}


@pytest.mark.parametrize("name", FILES)
def test_data_that_cannot_be_learned_get_one_line_and_nothing_is_written(
    name: str, here: Path, command: Command, listing: Callable[[Path], set[str]]
) -> None:
    make, message = FILES[name]
    make(here / name)
    before = listing(here)
    answer = command("train", name, *TINY)
    assert (answer.status, answer.out) == (2, "")
    assert message in answer.err
    assert answer.err.startswith("equipoise: ")
    assert answer.err.count("\n") == 1
    assert listing(here) == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["trian", "gaussian"], "no command 'trian': did you mean 'train'?"),
        (["train"], "equipoise train needs data: see equipoise train --help"),
        (["train", "no/such.npy"], "no file, folder or built-in source 'no/such.npy'"),
        (["train", "gausian"], "did you mean 'gaussian'?"),
        (
            ["train", "gaussian", "--recipe", "balancd"],
            "no recipe 'balancd': did you mean 'balanced'?",
        ),
        (
            ["train", "gaussian", "--widht", "8"],
            "no option --widht of train with the recipe balanced: did you mean '--width'?",
        ),
        (["train", "gaussian", "--width", "wide"], "--width = 'wide': must be a whole number"),
        (["train", "gaussian", "--batch-size", "0"], "batch_size = 0: must be at least 1"),
        (["train", "gaussian", "--std", "-1"], "std = -1.0 of gaussian: must be a positive number"),
        (["train", "gaussian", "--mean", "nan"], "mean = nan of gaussian: must be finite"),
        (
            ["train", "gaussian", "--conditional", "True"],
            "the data has no labels: give labels, or leave conditional out",
        ),
        (
            ["train", "gaussian", "--label-column", "y"],
            "label_column = 'y': gaussian has no columns; leave it out",
        ),
        (
            ["train", "gaussian", "--device", "abacus"],
            "device = 'abacus': must be auto, cpu or cuda",
        ),
        (
            ["train", "gaussian", "--resume"],
            "gaussian is not a run directory: it has no config.json",
        ),
        (
            ["train", "--resume"],
            "equipoise train --resume needs the run: equipoise train --resume RUN",
        ),
        (
            ["train", "gaussian", "--init-from", "nothing"],
            "nothing is not a run directory: it has no config.json",
        ),
        (
            ["train", "gaussian", "--resume", "--out", "nothing"],
            "nothing is not a run directory: it has no config.json",
        ),
        (["sample", "nothing"], "nothing is not a run directory"),
        (["evaluate", "nothing", "--jsn"], "no option --jsn of evaluate: did you mean '--json'?"),
        (["recipes", "all"], "'all' was not expected: see equipoise recipes --help"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_wrong_request_gets_one_line_and_nothing_is_written(
    arguments: list[str],
    message: str,
    here: Path,
    command: Command,
    listing: Callable[[Path], set[str]],
) -> None:
    answer = command(*arguments)
    assert (answer.status, answer.out) == (2, "")
    assert message in answer.err
    assert answer.err.count("\n") == 1
    assert not listing(here)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--out", "a.txt"], "--out = 'a.txt': must end in .npy, .npz, .csv, .csv.gz, "),
        (["--out", "no/a.npy"], "--out = 'no/a.npy': there is no folder no"),
        (["-n", "-5"], "-n = -5: must be at least 0"),
        (["-n", "0", "--out", "a.png"], "-n = 0: must be at least 1"),
        (["-n", "many"], "-n = 'many': must be a whole number"),
        (["--label", "3"], "label '3': this generator has no classes: "),
        (
            ["--processes", "0", "--shard-size", "0"],
            "shard_size = 0: must be at least 1; processes = 0: must be from 1 to 1024",
        ),
        (["--processes", "2"], "--processes: for files in a folder, and --out is not given"),
        (["--shard-size", "9", "--out", "a.csv"], "a folder, and --out = 'a.csv': give a name"),
    ],
)
def test_samples_that_cannot_be_drawn_get_one_line(
    trained: Path, here: Path, command: Command, arguments: list[str], message: str
) -> None:
    answer = command("sample", str(trained), *arguments)
    assert (answer.status, answer.out) == (2, "")
    assert message in answer.err
    assert answer.err.count("\n") == 1
    assert not list(here.iterdir())


def test_an_unknown_class_is_refused_with_the_nearest_one(
    trained_images: Path, command: Command
) -> None:
    answer = command("sample", str(trained_images), "--label", "ligt", "--out", "a.png")
    assert (answer.status, answer.err) == (
        2,
        "equipoise: label 'ligt' is not among the classes: did you mean 'light'?\n",
    )


@pytest.mark.usefixtures("here")
def test_data_of_another_shape_are_not_compared(trained: Path, command: Command) -> None:
    np.save("a.npy", POINTS)
    answer = command("evaluate", str(trained), "--data", "a.npy")
    assert answer.status == 2
    assert "samples of shape (2,), the generator makes (1,): give data of that shape" in answer.err


def test_a_run_directory_that_exists_is_left_alone(trained: Path, command: Command) -> None:
    before = {path: path.read_bytes() for path in trained.rglob("*") if path.is_file()}
    answer = command("train", "gaussian", "--out", str(trained), *TINY)
    assert answer.status == 2
    assert (
        answer.err
        == f"equipoise: out = {str(trained)!r} exists: resume it, or give another directory\n"
    )
    assert {path: path.read_bytes() for path in trained.rglob("*") if path.is_file()} == before


def test_a_run_resumed_with_other_settings_is_left_alone(trained: Path, command: Command) -> None:
    before = {path: path.read_bytes() for path in trained.rglob("*") if path.is_file()}
    answer = command("train", "gaussian", "--out", str(trained), "--resume", "--width", "9")
    assert answer.status == 2
    assert "trained with other settings (width: 8 -> 9)" in answer.err
    assert answer.err.count("\n") == 1
    assert {path: path.read_bytes() for path in trained.rglob("*") if path.is_file()} == before


def test_a_truncated_jpeg_and_mixed_sizes_have_warnings_and_the_rest_trains(
    here: Path, image: Image, command: Command
) -> None:
    for i in range(30):
        image(here / f"images/{i:02}.jpg", size=(8, 8) if i else (16, 8), seed=i)
    whole = (here / "images/07.jpg").read_bytes()
    (here / "images/07.jpg").write_bytes(whole[: len(whole) // 2])
    answer = command("train", "images", "--out", "run", *TINY)
    assert answer.status == 0
    assert "1 of 30 files left out: 1 unreadable (07.jpg: " in answer.out
    assert (
        "1 of 29 images were not 8 x 8, the most common size: cropped about the centre and resized"
        in answer.out
    )


def full_disk(*_: object, **__: object) -> NoReturn:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_full_disk_stops_a_training_with_one_line(
    here: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "fsync", full_disk)
    answer = command("train", "gaussian", "--out", "run", *TINY)
    assert answer.status == 1
    assert (
        answer.err == "equipoise: run/config.json could not be written: No space left on device; "
        "earlier saves are intact\n"
    )
    assert not [path for path in here.rglob("*") if path.is_file()]


@pytest.mark.usefixtures("here")
def test_a_disk_that_fills_up_while_training_ends_it_with_status_1(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = Path.replace

    def filled(path: Path, target: Path) -> Path:
        return written(path, target) if Path(target).name == "config.json" else full_disk()

    monkeypatch.setattr(Path, "replace", filled)
    answer = command("train", "gaussian", "--out", "run", *TINY)
    assert answer.status == 1
    assert (
        "could not be written: No space left on device; earlier saves are intact; "
        "training continues" in answer.err
    )
    assert answer.err.endswith("the end of this training is not saved\n")


@pytest.mark.parametrize("name", ["a.npy", "a.npz", "a.csv", "a.png"])
def test_a_full_disk_loses_no_samples_that_were_there(
    trained: Path, here: Path, command: Command, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    (here / name).write_bytes(b"precious")
    monkeypatch.setattr(Path, "replace", full_disk)
    answer = command("sample", str(trained), "-n", "50", "--out", name)
    assert (answer.status, answer.out) == (1, "")
    assert answer.err.startswith(
        f"equipoise: {name} could not be written: No space left on device; earlier "
    )
    assert answer.err.count("\n") == 1
    assert {path.name: path.read_bytes() for path in here.iterdir()} == {name: b"precious"}


def test_a_damaged_generator_is_named(trained: Path, here: Path, command: Command) -> None:
    content = bytearray((trained / "generator.safetensors").read_bytes())
    content[-3] ^= 1
    (here / "config.json").write_bytes((trained / "config.json").read_bytes())
    (here / "generator.safetensors").write_bytes(content)
    answer = command("sample", ".", "-n", "3")
    assert (answer.status, answer.out) == (1, "")
    assert "generator.safetensors is damaged" in answer.err
    assert answer.err.count("\n") == 1


def test_mnist_without_files_and_network_names_the_folder_for_them(
    here: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EQUIPOISE_DATA", str(here))
    monkeypatch.setattr(mnist, "MIRRORS", ())
    answer = command("train", "mnist", *TINY)
    assert answer.status == 1
    assert "put train-images-idx3-ubyte.gz" in answer.err
    assert answer.err.count("\n") == 1
    assert not list(here.iterdir())


@pytest.mark.usefixtures("here")
def test_too_little_memory_has_a_message_of_one_line(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    np.save("a.npy", POINTS)

    def exhausted(*_: object, **__: object) -> NoReturn:
        raise MemoryError("Unable to allocate 9 TiB")

    monkeypatch.setattr(torch, "from_numpy", exhausted)
    answer = command("train", "a.npy", *TINY)
    assert answer.status == 1
    assert (
        answer.err
        == "equipoise: out of memory: Unable to allocate 9 TiB; give less data or a smaller "
        "batch_size\n"
    )


def test_a_column_with_a_number_of_hundreds_of_digits_is_one_of_text(tmp_path: Path) -> None:
    path = tmp_path / "huge.csv"
    path.write_text("a,b\n" + "1,2\n" * 20 + f"{10**400},3\n")
    table = GAN().trainer(path, to_disk=False).source.schema.table
    assert table is not None
    assert table.columns[0].label == "category"

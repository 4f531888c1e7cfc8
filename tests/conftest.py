"""What several tests need: a tiny training, pictures on disk, the command line in-process."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from equipoise.cli import main
from equipoise.data import cache, mnist

TINY: dict[str, Any] = {"samples": 32, "batch_size": 16, "width": 8, "threads": 1}  # two steps: enough for all that is not the method
TINY_OPTIONS = ["--samples", "32", "--batch-size", "16", "--width", "8", "--threads", "1"]


@pytest.fixture(autouse=True)
def pictures_kept_apart(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """What tests decode is kept in a folder of theirs."""
    monkeypatch.setattr(cache, "data_home", lambda: tmp_path_factory.getbasetemp() / "kept")


@pytest.fixture
def tiny() -> dict[str, Any]:
    """Settings of the smallest training."""
    return dict(TINY)


@pytest.fixture(scope="session")
def mnist_home() -> Path:
    """The folder that holds MNIST's four files; skips where it is not there, since tests download nothing."""
    folder = mnist.data_home() / "mnist"
    missing = [name for name in mnist.SHA256 if not ((folder / name).is_file() or (folder / f"{name}.gz").is_file())]
    if missing:
        pytest.skip(f"$EQUIPOISE_DATA/mnist lacks {', '.join(missing)}")
    return folder


@dataclass(frozen=True)
class Answer:
    """What one command gave: exit status, and both outputs."""

    status: int
    out: str
    err: str


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Callable[..., Answer]:
    """Run `equipoise` in-process."""

    def run(*arguments: str) -> Answer:
        capsys.readouterr()
        try:
            status = main(list(arguments))
        except SystemExit as stop:  # how help ends
            status = int(stop.code or 0)
        return Answer(status, *capsys.readouterr())

    return run


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty directory that is the working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run directory of N(4, 1.25), hardly trained."""
    out = tmp_path_factory.mktemp("runs") / "gaussian"
    assert main(["train", "gaussian", "--out", str(out), *TINY_OPTIONS]) == 0
    return out


@pytest.fixture(scope="session")
def trained_pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run directory of grey 8 x 8 pictures of two classes, hardly trained."""
    folder = tmp_path_factory.mktemp("pictures")
    path = folder / "squares.npz"
    np.savez(path, x=np.random.default_rng(0).integers(0, 256, (80, 8, 8), np.uint8), y=["dark", "light"] * 40)
    out = folder / "run"
    assert main(["train", str(path), "--out", str(out), *TINY_OPTIONS]) == 0
    return out


def write_picture(path: Path, mode: str = "RGB", size: tuple[int, int] = (8, 8), seed: int = 0) -> np.ndarray[Any, Any]:
    """A picture of noise in a file, and its pixels."""
    shape = (size[1], size[0]) if mode in ("L", "I;16") else (size[1], size[0], len(mode))
    deep = mode == "I;16"
    pixels = np.random.default_rng(seed).integers(0, 65536 if deep else 256, shape).astype(np.uint16 if deep else np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
    return pixels


@pytest.fixture
def picture() -> Callable[..., np.ndarray[Any, Any]]:
    """`write_picture`, for tests in any folder."""
    return write_picture


def files_below(folder: Path) -> set[str]:
    """Every path below a folder, to see that nothing was written."""
    return {os.path.relpath(path, folder) for path in folder.rglob("*")}


@pytest.fixture
def listing() -> Callable[[Path], set[str]]:
    """`files_below`, for tests in any folder."""
    return files_below

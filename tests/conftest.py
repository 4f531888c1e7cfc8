"""What several tests need: a tiny training, images on disk, the command line
in-process."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import settings

from equipoise.cli.main import main
from equipoise.data import mnist
from equipoise.data.images import cache
from equipoise.metrics import classifier
from equipoise.metrics.budget import Budget
from equipoise.networks import pretrained
from equipoise.report import trained_run
from tests import isolation
from tests.helpers import TINY, TINY_OPTIONS, Answer, files_below, write_image

isolation.register_profiles()
BRIEF = Budget(
    univariate=2_000,
    samples=500,
    images=200,
    baselines=1,
    two_sample=500,
    two_sample_images=200,
    copies=200,
    labelled=500,
    image_steps=20,
)
POINT_STEPS = 100  # of training a classifier of points
WRITES = pytest.StashKey[isolation.Writes]()


@pytest.hookimpl(
    trylast=True
)  # after pytest knows its temporary directory, and Hypothesis which profile was asked for
def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(
        config, "workerinput"
    ):  # the process that pytest was started as; its workers get its environment
        isolation.own_environment(config._tmp_path_factory.getbasetemp() / "home")
    if settings().derandomize:
        isolation.draw_no_constants_of_loaded_modules()
    temporary = [Path(tempfile.gettempdir()), Path(os.environ["HOME"]).parent]
    config.stash[WRITES] = isolation.Writes(temporary)
    config.stash[WRITES].watch()


@pytest.fixture(autouse=True)
def extra_is_there(request: pytest.FixtureRequest) -> None:
    """Tests of every recipe skip the one whose extra is not installed."""
    _, _, case = request.node.name.lower().partition("[")
    if "projected" in case and not pretrained.is_installed():
        pytest.skip("the extra photos is not installed")


@pytest.fixture(autouse=True)
def apart(request: pytest.FixtureRequest) -> Iterator[None]:
    """Every test begins with the same random numbers and one thread, and writes into
    temporary directories alone."""
    isolation.same_random_numbers(request.module)
    torch.set_num_threads(1)
    yield
    writes = request.config.stash[WRITES]
    found, writes.found = writes.found, []
    assert found == [], "outside of temporary directories"


@pytest.fixture(autouse=True)
def images_kept_apart(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What tests decode and convert is kept in a folder of theirs."""
    for module in (cache, pretrained):
        monkeypatch.setattr(module, "data_home", lambda: tmp_path_factory.getbasetemp() / "kept")


@contextmanager
def few_samples_examined() -> Iterator[None]:
    """Reports of fewer samples, and with less learning, than users are promised."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trained_run, "FULL", BRIEF)
        patch.setattr(trained_run, "QUICK", replace(BRIEF, univariate=BRIEF.univariate // 2))
        patch.setattr(classifier, "POINT_STEPS", POINT_STEPS)
        yield


@pytest.fixture
def brief_reports() -> Iterator[None]:
    """For tests of what becomes of a report, not of its figures."""
    with few_samples_examined():
        yield


@pytest.fixture
def no_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """For tests of runs whose page nobody opens: its charts take longer than a
    training."""
    monkeypatch.setattr(trained_run.TrainedRun, "write_page", lambda *_: None)


@pytest.fixture
def tiny() -> dict[str, Any]:
    """Settings of the smallest training."""
    return dict(TINY)


@pytest.fixture(scope="session")
def mnist_home() -> Path:
    """The folder that holds MNIST's four files; skips where it is not there, since
    tests download nothing."""
    folder = mnist.data_home() / "mnist"
    missing = [
        name
        for name in mnist.SHA256
        if not ((folder / name).is_file() or (folder / f"{name}.gz").is_file())
    ]
    if missing:
        pytest.skip(f"$EQUIPOISE_DATA/mnist lacks {', '.join(missing)}")
    return folder


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
    with few_samples_examined():
        assert main(["train", "gaussian", "--out", str(out), *TINY_OPTIONS]) == 0
    return out


@pytest.fixture(scope="session")
def trained_images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run directory of grey 8 x 8 images of two classes, hardly trained."""
    folder = tmp_path_factory.mktemp("images")
    path = folder / "squares.npz"
    np.savez(
        path,
        x=np.random.default_rng(0).integers(0, 256, (80, 8, 8), np.uint8),
        y=["dark", "light"] * 40,
    )
    out = folder / "run"
    with few_samples_examined():
        assert main(["train", str(path), "--out", str(out), *TINY_OPTIONS]) == 0
    return out


@pytest.fixture
def image() -> Callable[..., np.ndarray[Any, Any]]:
    """`write_image`, for tests in any folder."""
    return write_image


@pytest.fixture
def listing() -> Callable[[Path], set[str]]:
    """`files_below`, for tests in any folder."""
    return files_below

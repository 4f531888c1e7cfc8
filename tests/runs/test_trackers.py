"""Trackers see every reading, metric, message and image of a training."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from equipoise import GAN
from equipoise.errors import RequestError
from equipoise.runs import trackers
from equipoise.runs.directory import RunDirectory
from equipoise.training.callbacks import Tracking
from equipoise.training.events import Drawn, Evaluated, Finished, Recovered, Report, Trouble

X = np.random.default_rng(0).normal(size=(400, 2))
SETTINGS: dict[str, Any] = {"samples": 640, "batch_size": 16, "width": 8, "threads": 1}


class Recorder:
    """Remembers what a tracker is given."""

    def __init__(self, _: Path = Path()) -> None:
        self.seen: list[tuple[str, int, str]] = []

    def scalars(self, step: int, values: Any) -> None:
        self.seen += [("scalar", step, name) for name in values]

    def text(self, step: int, name: str, text: str) -> None:
        self.seen.append(("text", step, name))

    def image(self, step: int, name: str, path: Path) -> None:
        self.seen.append(("image", step, name))

    def close(self) -> None:
        self.seen.append(("close", 0, ""))


def test_each_event_reaches_the_tracker_once_and_the_end_closes_it() -> None:
    recorder = Recorder()
    tracking = Tracking(recorder)
    tracking(Report(16, 0.1, 0.5, 1.0, 1.0, {"generator_loss": 0.7}))
    tracking(Evaluated(32, {"coverage": 0.9}, {"coverage": 1.0}))
    tracking(Trouble(48, "far ahead"))
    tracking(Recovered(48, "a weight"))
    tracking(Drawn(64, Path("a.png")))
    tracking(Finished("done"))
    assert recorder.seen == [
        ("scalar", 16, "generator_loss"),
        ("scalar", 32, "metrics/coverage"),
        ("text", 48, "trouble"),
        ("text", 48, "recovered"),
        ("image", 64, "samples"),
        ("close", 0, ""),
    ]


def test_a_registered_tracker_follows_a_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Recorder] = []

    def recorder(run: Path) -> Recorder:
        assert run == tmp_path / "run"
        made.append(Recorder())
        return made[0]

    monkeypatch.setitem(trackers.TRACKERS, "recorder", recorder)
    GAN(**SETTINGS, tracker="recorder").fit(X, out=tmp_path / "run")
    names = {name for _, _, name in made[0].seen}
    assert {"generator_loss", "metrics/sliced_wasserstein", "samples"} <= names
    assert made[0].seen[-1] == ("close", 0, "")


def test_tensorboard_has_the_curves_and_the_images(tmp_path: Path) -> None:
    event_files = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    GAN(**SETTINGS, tracker="tensorboard").fit(X, out=tmp_path / "run")
    board = event_files.EventAccumulator(str(tmp_path / "run" / "tensorboard"))
    board.Reload()
    assert {"generator_loss", "metrics/sliced_wasserstein"} <= set(board.Tags()["scalars"])
    assert board.Scalars("generator_loss")[-1].step == 640
    assert board.Tags()["images"] == ["samples"]


def test_unknown_trackers_and_runs_without_a_directory_are_refused() -> None:
    with pytest.raises(RequestError, match="tracker = 'tensorbord': did you mean 'tensorboard'"):
        GAN(tracker="tensorbord")
    with pytest.raises(RequestError, match="tracker = 'tensorboard' needs a run directory"):
        GAN(**SETTINGS, tracker="tensorboard").fit(X)


def test_a_tracker_that_cannot_be_made_leaves_the_run_directory_unlocked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: Path) -> Recorder:
        raise RequestError("not installed")

    monkeypatch.setitem(trackers.TRACKERS, "recorder", refuse)
    with pytest.raises(RequestError, match="not installed"):
        GAN(tracker="recorder", **SETTINGS).fit(X, out=tmp_path / "run")
    directory = RunDirectory(tmp_path / "run")
    directory.lock()
    directory.unlock()

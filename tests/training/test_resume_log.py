"""The log of a run that is resumed: a run that early stopping has ended is finished,
another length begins patience anew, and metrics of other samples count no more."""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from equipoise import GAN
from equipoise.errors import EquipoiseWarning
from equipoise.runs.directory import RunDirectory
from equipoise.training.resume import is_finished, status_line
from equipoise.training.trainer import Trainer

Command = Callable[..., Any]
X = np.random.default_rng(0).normal(size=(600, 2))
NOTHING_LEARNED: dict[str, Any] = {
    "clusters": 0,
    "batch_size": 16,
    "width": 2,
    "threads": 1,
    "learning_rate": 1e-9,
}
PATIENCE = 6  # metrics until a training that learns nothing settles


@pytest.fixture(scope="module")
def early_stopped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of 4,096 samples at most that early stopping has ended."""
    folder = tmp_path_factory.mktemp("early_stopped")
    np.save(folder / "x.npy", X)
    with pytest.warns(EquipoiseWarning, match="no longer improves"):
        GAN(samples=4096, stop_when="converged", **NOTHING_LEARNED).fit(
            folder / "x.npy", out=folder / "run"
        )
    return folder / "run"


@pytest.fixture
def run(early_stopped: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return Path(shutil.copytree(early_stopped, tmp_path / "run"))


@pytest.fixture
def unsettled(tmp_path: Path) -> Path:
    """A run without early stopping."""
    GAN(samples=320, batch_size=16, width=8, threads=1).fit(X, out=tmp_path / "unsettled")
    return tmp_path / "unsettled"


def prepared(run: Path, x: Any = None, **settings: Any) -> Trainer:
    """What a process that is killed before the first step leaves: all is written."""
    training = GAN(**settings).trainer(x, out=run, resume=True)
    assert training.directory is not None
    training.directory.unlock()  # as the system does
    return training


def resumed(run: Path, **settings: Any) -> GAN:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return GAN(**settings).fit(out=run, resume=True)


def newest(run: Path) -> int:
    return max(int(path.stem) for path in (run / "checkpoints").iterdir())


def logged(run: Path) -> list[dict[str, Any]]:
    """The lines of the log without what a clock says."""
    clocks = {"seconds", "crc32"}
    return [
        {name: value for name, value in line.items() if name not in clocks}
        for line in RunDirectory(run).read_log()
    ]


def evaluated(run: Path) -> list[dict[str, Any]]:
    return [line for line in logged(run) if "metrics" in line]


def trained(run: Path) -> dict[str, Any]:
    """What training writes, without the report and the images after it."""
    kept = [run / "generator.safetensors", *(run / "checkpoints").iterdir()]
    return {path.name: path.read_bytes() for path in kept} | {"log": logged(run)}


@pytest.mark.usefixtures("brief_reports", "no_pages")
def test_a_run_that_early_stopping_ended_is_finished_and_has_the_command_for_more(
    run: Path, command: Command
) -> None:
    before, seen = trained(run), newest(run)
    answer = command("train", "--resume", str(run))
    assert (answer.status, answer.err) == (0, "")
    until = (
        f"finished: {seen:,} samples seen until the metric no longer improved; to train longer: "
    )
    assert f"{until}equipoise train --resume {run} --samples 8192 (" in answer.out
    assert "Trained on" not in answer.out
    with pytest.warns(EquipoiseWarning, match="until the metric no longer improved") as warned:
        GAN(samples=4096).fit(out=run, resume=True)  # which is no new length
    assert len(warned) == 1
    assert trained(run) == before


def test_a_new_length_trains_it_on_until_patience_ends_again(run: Path) -> None:
    before, seen = len(evaluated(run)), newest(run)
    assert before == PATIENCE
    training = prepared(run, samples=8192)
    assert status_line(training) == f"resuming at {seen:,} of 8,192 samples"
    resumed(run)  # though it was killed before it had done a step
    assert len(evaluated(run)) >= before + 5
    assert newest(run) > seen + 5 * 8192 // 20 - 16
    assert "early_stopped" in RunDirectory(run).read_log()[-1]
    assert is_finished(prepared(run))


def test_killed_and_resumed_after_a_new_length_it_goes_on_to_the_same_end(
    early_stopped: Path, tmp_path: Path
) -> None:
    ends = []
    for name in ("straight", "killed"):
        run = Path(shutil.copytree(early_stopped, tmp_path / name))
        if name == "killed":
            prepared(run, samples=8192)
            prepared(run)
        ends.append((resumed(run, samples=8192), newest(run), evaluated(run)))
    (straight, *moments), (killed, *same) = ends
    assert moments == same
    assert np.array_equal(straight.sample(9, seed=1), killed.sample(9, seed=1))


def test_a_length_that_it_has_already_leaves_the_best_kept(run: Path) -> None:
    seen, best = newest(run), GAN.load(run)._trained().sampler.samples_seen
    assert best < seen
    for settings in ({"samples": seen}, {}):
        assert resumed(run, **settings)._trained().sampler.samples_seen == best
        assert newest(run) == seen


def test_without_early_stopping_it_goes_on_to_its_own_length(run: Path) -> None:
    resumed(run, stop_when=None)
    assert newest(run) == 4096


def test_a_run_killed_at_early_stopping_stops_there(run: Path) -> None:
    directory, whole = RunDirectory(run), trained(run)
    lines = directory.read_log()
    assert "early_stopped" in lines[-1]
    directory.write_log(lines[:-1])
    resumed(run)
    assert trained(run) == whole


def old_best(run: Path) -> dict[str, Any]:
    """Of a run without early stopping: its best, made better than what can come."""
    from equipoise.runs import checkpoint

    tensors, scalars = checkpoint.load_newest(run / "checkpoints", pytest.fail)
    scalars["best"]["metric"] = 1e-6
    checkpoint.write(tensors, scalars, run / "checkpoints" / f"{newest(run):09d}.safetensors")
    best: dict[str, Any] = scalars["best"]
    return best


@pytest.mark.parametrize("killed", ["after the log", "before the log"])
def test_a_best_that_other_samples_chose_does_not_come_back_with_a_kill(
    killed: str, unsettled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert old_best(unsettled)["metric"] == 1e-6
    assert prepared(unsettled, X).state.best is not None  # which counts as long as nothing changes
    with monkeypatch.context() as patch, suppress(KeyboardInterrupt):
        if killed == "before the log":
            patch.setattr(RunDirectory, "write_log", _kill)
        prepared(unsettled, X, stop_when="converged", samples=640)
    again = prepared(unsettled, X)
    assert (again.settings.stop_when, again.settings.samples) == ("converged", 640)
    assert again.state.best is None
    assert again.monitor.best == np.inf
    gan = GAN().fit(X, out=unsettled, resume=True)
    assert gan._trained().trainer is not None
    assert gan._trained().trainer.state.best is not None
    assert gan._trained().trainer.state.best["metric"] > 1e-3
    assert int(gan._trained().trainer.state.best["checkpoint"]) > 320


def _kill(*_: Any) -> None:
    raise KeyboardInterrupt


def test_nor_does_it_where_the_checkpoint_of_the_change_is_damaged(unsettled: Path) -> None:
    prepared(unsettled, X, stop_when="converged", samples=640)
    last = unsettled / "checkpoints" / f"{newest(unsettled):09d}.safetensors"
    last.write_bytes(last.read_bytes()[:-9])
    with pytest.warns(EquipoiseWarning, match="using the checkpoint before it"):
        again = GAN().trainer(X, out=unsettled, resume=True)
    assert again.directory is not None
    again.directory.unlock()
    assert again.state.samples_seen < 320
    assert again.state.best is None
    assert again.monitor.best == np.inf
    assert [line["early_stopping"] for line in again.log if "baselines" in line] == [0, 1]


def test_a_change_that_is_taken_back_leaves_no_best_of_the_other_samples(unsettled: Path) -> None:
    prepared(unsettled, X, stop_when="converged", samples=640)
    again = prepared(unsettled, X, stop_when=None)
    assert again.state.best is None
    assert [line["early_stopping"] for line in again.log if "baselines" in line] == [0, 1, 0]

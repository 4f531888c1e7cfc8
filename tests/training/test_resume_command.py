"""Going on with a run: a run is enough, and what is said is where it goes on, that it
is finished, or what does not fit."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.helpers import TINY_OPTIONS

from equipoise import GAN
from equipoise.data.distributions import Gaussian, Ring
from equipoise.errors import EquipoiseError, EquipoiseWarning, RequestError
from equipoise.runs.directory import RunDirectory
from equipoise.training.resume import is_finished, status_line

Command = Callable[..., Any]
RNG = np.random.default_rng(0)
X = RNG.normal(size=(80, 2))
NONE = ["--evaluate", "none"]


@pytest.fixture
def run(trained: Path, here: Path) -> Path:
    """A copy of a finished run of `gaussian`, 32 samples, in the working directory."""
    shutil.copytree(trained, here / "runs" / "g")
    return Path("runs/g")


@pytest.mark.parametrize(
    "arguments",
    [
        ["--resume", "runs/g"],
        ["runs/g", "--resume"],
        ["--resume=runs/g"],
        ["--resume", "--out", "runs/g"],
        ["gaussian", "--resume", "runs/g"],
        ["gaussian", "--out", "runs/g", "--resume"],
        ["--threads", "1", "--resume", "runs/g"],
    ],
)
def test_a_run_is_enough_to_resume_and_the_progress_is_printed(
    arguments: list[str], run: Path, command: Command
) -> None:
    answer = command("train", *arguments, "--samples", "64", *NONE)
    assert (answer.status, answer.err) == (0, "")
    assert "\nresuming at 32 of 64 samples\n" in answer.out
    assert "\nTrained on 64 samples in all, 32 of them now, in " in answer.out
    assert RunDirectory(run).read_config().data.name == "gaussian"
    assert [path.name for path in Path.cwd().iterdir()] == ["runs"]


def test_a_run_on_a_file_knows_its_file_and_its_column_of_labels(
    here: Path, command: Command
) -> None:
    frame = pd.DataFrame({"a": RNG.normal(size=60), "kind": ["u", "v"] * 30})
    frame.to_csv(here / "table.csv", index=False)
    assert (
        command(
            "train", "table.csv", "--label-column", "kind", "--out", "run", *TINY_OPTIONS, *NONE
        ).status
        == 0
    )
    (here / "elsewhere").mkdir()
    answer = command("train", "--resume", "run", "--samples", "64", *NONE)
    assert answer.status == 0
    assert GAN(samples=96).fit(out="run", resume=True).sample(3, label="u").shape == (3, 2)


def test_a_finished_run_prints_the_command_for_a_longer_one(run: Path, command: Command) -> None:
    answer = command("train", "--resume", str(run))
    assert (answer.status, answer.err) == (0, "")
    longer = (
        r"finished: 32 samples seen; to train longer: equipoise train --resume runs/g "
        r"--samples 64 \((about|less than) "
    )
    assert re.search(longer, answer.out)
    assert "Trained on" not in answer.out
    assert "Wasserstein-1" in answer.out  # the report as it was kept
    with pytest.warns(
        EquipoiseWarning,
        match="finished: 32 samples seen; to train longer: equipoise train --resume runs/g "
        "--samples 64",
    ):
        GAN().fit(resume=True, out=run)


def test_a_length_in_minutes_is_a_total_in_messages_too(tmp_path: Path) -> None:
    out = tmp_path / "run"
    GAN(minutes=0.005, batch_size=16, width=8, threads=1).fit("gaussian", out=out)
    finished = GAN().trainer(out=out, resume=True)
    line = status_line(finished)
    assert finished.directory is not None
    finished.directory.unlock()
    assert is_finished(finished)
    assert "of 0.005 minutes used" in line
    assert (
        f"minutes are the total; to train longer: equipoise train --resume {out} --minutes 0.01"
        in line
    )
    with pytest.raises(
        RequestError,
        match=r"minutes = 0\.001 is the total, and .*run has trained for 0\.00\d+ already: "
        r"give more",
    ):
        GAN(minutes=0.001).fit(out=out, resume=True)
    longer = GAN(minutes=1).trainer(out=out, resume=True)
    assert longer.directory is not None
    longer.directory.unlock()
    assert not is_finished(longer)
    assert re.match(r"resuming at .* seconds? of 1 minutes, ", status_line(longer))


def test_fewer_samples_than_already_seen_are_refused_without_changes(
    run: Path, command: Command
) -> None:
    GAN(samples=320).fit(out=run, resume=True)
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    answer = command("train", "--resume", str(run), "--samples", "100")
    assert (answer.status, answer.out) == (2, "")
    assert (
        answer.err
        == "equipoise: samples = 100 is the total, and runs/g has seen 320 already: give more "
        "than that\n"
    )
    assert {path: path.read_bytes() for path in run.rglob("*") if path.is_file()} == before


def test_the_length_that_a_run_had_is_no_shorter_one_though_its_last_step_went_beyond(
    run: Path,
) -> None:
    GAN(samples=40).fit(out=run, resume=True)  # 48 seen
    with pytest.warns(EquipoiseWarning, match="finished: 48 samples seen"):
        GAN(samples=40).fit(out=run, resume=True)


def test_a_run_in_the_place_of_data_is_not_taken_for_a_folder_of_images(
    run: Path, command: Command
) -> None:
    answer = command("train", str(run))
    assert (
        answer.err
        == "equipoise: runs/g is a run, not data: resume it (equipoise train --resume RUN), "
        "or give data\n"
    )


def test_other_data_is_named_beside_the_runs(run: Path, here: Path, command: Command) -> None:
    pd.DataFrame(X).to_csv(here / "incomes.csv", index=False)
    answer = command("train", "incomes.csv", "--resume", str(run))
    same = "give the same data, or start a new run"
    assert (
        answer.err
        == f"equipoise: runs/g was trained on gaussian, but you gave incomes.csv: {same}\n"
    )
    for given, name in ((Ring(), "ring"), (X, "an array"), ("ring", "ring")):
        with pytest.raises(
            RequestError, match=rf"^runs/g was trained on gaussian, but you gave {name}: {same}$"
        ):
            GAN().fit(given, out=run, resume=True)
    with pytest.raises(
        RequestError, match=r"was trained with other settings \(mean: 4\.0 -> 5\.0\)"
    ):
        GAN().fit(Gaussian(mean=5), out=run, resume=True)


def test_a_changed_or_missing_data_file_is_named(here: Path) -> None:
    np.save("points.npy", X)
    settings: dict[str, Any] = {"samples": 32, "batch_size": 16, "width": 8, "threads": 1}
    GAN(**settings).fit("points.npy", out="run")
    np.save("points.npy", X + 1)
    for data in (None, "points.npy"):
        with pytest.raises(
            RequestError,
            match=r"^run was trained on points\.npy, which has changed, or is in "
            r"another order: give",
        ):
            GAN().fit(data, out="run", resume=True)
    (here / "points.npy").unlink()
    with pytest.raises(
        RequestError,
        match=r"^run was trained on .*points\.npy, which cannot be read now: no file, folder "
        r"or built-in source",
    ):
        GAN().fit(out="run", resume=True)
    np.save("moved.npy", X)
    assert GAN(samples=64).fit("moved.npy", out="run", resume=True).report.samples_seen == 64


@pytest.mark.usefixtures("here")
def test_data_or_labels_passed_in_python_must_be_passed_again(command: Command) -> None:
    settings: dict[str, Any] = {"samples": 32, "batch_size": 16, "width": 8, "threads": 1}
    GAN(**settings).fit(X, out="array")
    message = (
        "array was trained on an array passed in Python: pass the same again, with "
        "fit(data, out=..., resume=True)"
    )
    assert command("train", "--resume", "array").err == f"equipoise: {message}\n"
    with pytest.raises(RequestError, match="an array passed in Python"):
        GAN().fit(out="array", resume=True)
    np.save("x.npy", X)
    GAN(**settings).fit("x.npy", [0, 1] * 40, out="labels")
    with pytest.raises(
        RequestError,
        match=r"labels for x\.npy passed in Python: .*fit\(data, labels, out=\.\.\., "
        r"resume=True\)",
    ):
        GAN().fit(out="labels", resume=True)
    with pytest.raises(
        RequestError,
        match=r"^labels was trained on x\.npy with labels passed in Python: pass them again",
    ):
        GAN().fit("x.npy", out="labels", resume=True)
    with pytest.raises(RequestError, match=r"^fit needs data"):
        GAN().fit()


@pytest.mark.usefixtures("here")
def test_a_stopped_run_prints_the_command_to_resume_it(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    from equipoise.training import trainer

    class Stopped(trainer.Control):
        def __init__(self) -> None:
            super().__init__()
            self.stop("SIGINT")

    monkeypatch.setattr(trainer, "Control", Stopped)
    answer = command("train", "gaussian", "--out", "run", *TINY_OPTIONS)
    assert answer.status == 130
    assert answer.err.endswith(". Resume with: equipoise train --resume run\n")


def test_settings_that_a_resumed_run_may_not_change_are_named(run: Path) -> None:
    with pytest.raises(EquipoiseError, match=r"was trained with other settings \(seed: 0 -> 7\)"):
        GAN(seed=7).fit(out=run, resume=True)


def test_early_stopping_that_is_asked_for_later_compares_no_metrics_of_other_samples(
    tmp_path: Path,
) -> None:
    x, run = np.random.default_rng(0).normal(size=(600, 2)), tmp_path / "run"
    GAN(samples=320, batch_size=16, width=8, threads=1).fit(x, out=run)
    later = GAN(samples=640, stop_when="converged").fit(x, out=run, resume=True)
    evaluated = [
        line for line in RunDirectory(run).read_log() if "baselines" in line or "metrics" in line
    ]
    (again,) = [
        number for number, line in enumerate(evaluated) if "baselines" in line and number > 0
    ]
    assert (evaluated[0]["evaluated_samples"], evaluated[again]["evaluated_samples"]) == (60, 30)
    after = [line["metrics"]["sliced_wasserstein"] for line in evaluated[again + 1 :]]
    assert later._trained().trainer is not None
    assert later._trained().trainer.state.best is not None
    assert later._trained().trainer.state.best["metric"] == min(after)
    assert later._trained().trainer.monitor.best == min(after)
    third = GAN(samples=1280).trainer(x, out=run, resume=True)
    assert third.monitor.best == min(after)
    third.directory.unlock()  # type: ignore[union-attr]  # it is there

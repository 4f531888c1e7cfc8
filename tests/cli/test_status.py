"""`equipoise status` tells from a run's files alone what it is doing, and changes
nothing."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.helpers import TINY

from equipoise import GAN
from equipoise.runs.directory import LOCK, RunDirectory
from equipoise.runs.holder import Holder
from equipoise.runs.serialization import checked_line
from equipoise.training.events import Report

Command = Callable[..., Any]
LIGHT = (
    "import sys, equipoise.cli.status; print({'torch', 'numpy', 'scipy', 'rich'} & {*sys.modules})"
)


@pytest.fixture
def run(trained: Path, tmp_path: Path) -> Path:
    """A copy of a finished run of 32 samples."""
    return Path(shutil.copytree(trained, tmp_path / "run"))


def state_of(command: Command, run: Path) -> dict[str, Any]:
    """The entry of one run in the JSON."""
    answer = command("status", str(run), "--json")
    assert answer.status == 0
    (found,) = json.loads(answer.out)
    return dict(found)


def append(run: Path, **line: Any) -> None:
    """Append a line to the log."""
    with (run / "log.jsonl").open("a") as file:
        file.write(checked_line(line))


def locked_by(run: Path, holder: Holder) -> None:
    """Let a process have left its name in the lock file."""
    (run / LOCK).touch()
    holder.write(run / LOCK)


def test_a_finished_run_has_its_verdict_and_nothing_to_resume(run: Path, command: Command) -> None:
    report = json.loads((run / "report.json").read_text())
    found = state_of(command, run)
    assert found["state"] == "finished"
    assert (found["samples_seen"], found["samples"], found["progress"]) == (32, 32, 1)
    assert found["verdict"] == report["verdict"]["name"]
    assert found["checkpoint_samples"] == 32
    assert found["metrics"].keys() == found["baselines"].keys() >= {"wasserstein_1"}
    assert found["resume"] is None
    text = command("status", str(run)).out
    assert f"{run}: finished" in text
    assert "32 of 32 samples (100%)" in text
    assert "resume with" not in text


def test_a_run_that_trains_in_this_process_is_running_and_then_is_not(
    tmp_path: Path, command: Command
) -> None:
    seen: list[dict[str, Any]] = []

    def ask(event: object) -> None:
        if isinstance(event, Report):
            seen.append(state_of(command, tmp_path / "run"))

    x = np.random.default_rng(0).normal(size=(64, 2))
    GAN(**TINY).fit(x, out=tmp_path / "run", callbacks=[ask])
    assert {one["state"] for one in seen} == {"running"}
    assert all(one["resume"] is None for one in seen)
    assert state_of(command, tmp_path / "run")["state"] == "finished"


def test_a_run_that_was_stopped_is_told_from_one_that_was_killed(
    run: Path, command: Command
) -> None:
    directory = RunDirectory(run)
    config = directory.read_config()
    directory.write_config(replace(config, settings=replace(config.settings, samples=64)))
    stopped = state_of(command, run)
    assert stopped["state"] == "stopped"
    assert stopped["progress"] == 0.5
    assert stopped["resume"] == f"equipoise train --resume {run}"
    append(run, samples_seen=48, seconds=100.0, discriminator_loss=0.7, balance=0.5)
    assert state_of(command, run)["state"] == "interrupted"
    locked_by(run, replace(Holder.this_process(), started="long ago"))
    killed = state_of(command, run)
    assert killed["state"] == "interrupted"
    assert killed["because"] == f"process {os.getpid()}, which had its lock, is gone"


def test_a_run_of_another_machine_is_running_while_its_log_grows(
    run: Path, command: Command
) -> None:
    append(run, samples_seen=48, seconds=100.0, discriminator_loss=0.7, balance=0.5)
    locked_by(run, replace(Holder.this_process(), machine="another"))
    for file in (run / "log.jsonl", run / "config.json"):
        os.utime(file, (2e9, 2e9))  # its clock may be ahead
    assert state_of(command, run)["state"] == "running"
    for file in (run / "log.jsonl", run / "config.json"):
        os.utime(file, (1e9, 1e9))
    assert state_of(command, run)["state"] == "interrupted"


def test_a_run_that_diverged_says_why(run: Path, command: Command) -> None:
    append(run, samples_seen=32, seconds=100.0, trouble="the discriminator has won")
    append(run, samples_seen=32, seconds=100.0, recovered="a weight")
    append(run, samples_seen=32, seconds=100.0, diverged="training diverged: a weight")
    found = state_of(command, run)
    assert (found["state"], found["because"]) == ("diverged", "training diverged: a weight")
    assert found["troubles"] == [
        "after 32 samples: the discriminator has won",
        "after 32 samples: a weight was not finite: rolled back",
    ]


def test_rate_and_time_left_follow_from_the_last_reports(run: Path, command: Command) -> None:
    directory = RunDirectory(run)
    config = directory.read_config()
    directory.write_config(replace(config, settings=replace(config.settings, samples=2000)))
    directory.write_log([])
    for step in range(1, 21):
        seconds = step if step <= 10 else 10 + 2 * (step - 10)
        append(run, samples_seen=50 * step, seconds=float(seconds), discriminator_loss=0.7)
    found = state_of(command, run)
    assert found["samples_per_second"] == pytest.approx(25)
    assert found["seconds_left"] == pytest.approx(40)


def test_a_torn_last_line_is_passed_over_and_damage_is_named(run: Path, command: Command) -> None:
    whole = state_of(command, run)
    with (run / "log.jsonl").open("a") as file:
        file.write('{"samples_seen": 48, "sec')
    torn = state_of(command, run)
    assert (torn["samples_seen"], torn["state"], torn["notes"]) == (32, whole["state"], [])
    (run / "report.json").write_text("{")
    with (run / "log.jsonl").open("a") as file:
        file.write("\n")
    damaged = state_of(command, run)
    assert damaged["verdict"] is None
    assert len(damaged["notes"]) == 2
    assert "is damaged: 1 of" in command("status", str(run)).out


def test_a_run_that_has_only_begun_has_a_status(run: Path, command: Command) -> None:
    for name in ("log.jsonl", "report.json"):
        (run / name).unlink()
    shutil.rmtree(run / "checkpoints")
    found = state_of(command, run)
    assert (found["samples_seen"], found["checkpoint"], found["metrics"]) == (0, None, {})
    assert "none yet" in command("status", str(run)).out


def test_what_is_no_run_is_one_line_and_the_others_are_shown(
    run: Path, tmp_path: Path, command: Command
) -> None:
    both = command("status", str(tmp_path / "none"), str(run))
    assert both.status == 2
    assert f"{run}: finished" in both.out
    assert both.err.count("\n") == 1
    (run / "config.json").write_text("{}")
    damaged = command("status", str(run))
    assert (damaged.status, damaged.err.count("\n")) == (1, 1)


def test_it_changes_nothing(run: Path, command: Command) -> None:
    def content() -> dict[Path, tuple[bytes, int]]:
        files = [path for path in run.rglob("*") if path.is_file()]
        return {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in files}

    before = content()
    assert command("status", str(run)).status == 0
    assert content() == before


def test_it_needs_no_heavy_package() -> None:
    done = subprocess.run([sys.executable, "-c", LIGHT], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"

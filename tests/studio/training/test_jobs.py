"""Trainings as processes: they outlive the server, and are found again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from tests.helpers import TINY

from equipoise.errors import RequestError
from equipoise.runs.status import RunStatus
from equipoise.studio.training import commands, jobs, progress
from equipoise.studio.training.jobs import Jobs

ENDLESS = "import signal; print('equipoise: opening', flush=True); signal.pause()"
SERVER = """
import os, sys
from pathlib import Path
from equipoise.studio.training import commands
from equipoise.studio.training.jobs import Jobs
commands.command = lambda words: [sys.executable, "-c", sys.argv[2]]
print(Jobs(Path(sys.argv[1])).start("ring", "balanced", {}, "ring"), flush=True)
os.kill(os.getpid(), 9)
"""


def ended(found: Jobs, run: Path) -> None:
    """Wait until the process of a run that this process did not start is gone."""
    job = found.job(run.name)
    assert job is not None
    waiting = threading.Event()
    while found.is_busy(run):
        waiting.wait(0.01)


def test_a_training_outlives_a_server_that_is_killed_and_the_next_one_stops_it(
    tmp_path: Path,
) -> None:
    server = subprocess.run(
        [sys.executable, "-c", SERVER, str(tmp_path), ENDLESS],
        capture_output=True,
        text=True,
        check=False,
    )
    assert server.returncode == -signal.SIGKILL
    run = tmp_path / server.stdout.strip()
    found = Jobs(tmp_path)
    assert found.names() == ["ring-balanced-0"]
    assert found.is_busy(run)
    assert progress.phase_of(run, found)["phase"] == "starting"
    with pytest.raises(RequestError, match="is being trained"):
        found.resume(run, {})
    found.stop(run)
    ended(found, run)
    assert progress.phase_of(run, found)["phase"] == "failed"
    found.forget(run)
    assert found.names() == []


def test_a_training_that_cannot_begin_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fails = "import sys; sys.exit('equipoise: no such column')"
    monkeypatch.setattr(commands, "command", lambda _: [sys.executable, "-c", fails])
    found = Jobs(tmp_path)
    run = tmp_path / found.start("d.csv", "balanced", {}, "my data!")
    assert run.name == "my-data-balanced-0"
    ended(found, run)
    told = progress.phase_of(run, found)
    assert told == {"phase": "failed", "status": None, "problem": "no such column"}


@pytest.mark.parametrize(
    ("recipe", "choices"), [("../x", {}), ("", {}), ("balanced", {"out": "x"})]
)
def test_a_training_that_cannot_be_asked_for_leaves_nothing(
    tmp_path: Path, recipe: str, choices: dict[str, str]
) -> None:
    with pytest.raises(RequestError):
        Jobs(tmp_path).start("ring", recipe, choices, "ring")
    assert list(tmp_path.iterdir()) == []


def test_two_that_start_at_once_have_two_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Jobs, "_run", lambda *_: None)
    (tmp_path / "ring-balanced-1").mkdir()
    found = Jobs(tmp_path)
    names = [found.start("ring", "balanced", {}, "ring") for _ in range(2)]
    assert names == ["ring-balanced-0", "ring-balanced-2"]


@pytest.mark.parametrize("content", [b"", b"[]", b'{"holder": 1}', b'{"words": []}', b"\xff"])
def test_a_damaged_memory_is_no_job(tmp_path: Path, content: bytes) -> None:
    place = tmp_path / jobs.MEMORY / "runs" / "x"
    place.mkdir(parents=True)
    (place / "job.json").write_bytes(content)
    assert Jobs(tmp_path).job("x") is None
    assert not Jobs(tmp_path).is_busy(tmp_path / "x")


@pytest.mark.slow
def test_a_training_is_stopped_and_goes_on(tmp_path: Path) -> None:
    found = Jobs(tmp_path)
    choices = {**TINY, "samples": 2_000_000, "evaluate": "none", "compile": "off"}
    run = tmp_path / found.start("gaussian", "balanced", choices, "gaussian")
    waiting = threading.Event()
    while not progress.read_curves(run)["reports"]:  # it takes steps
        assert found.is_busy(run), found.output(run.name)
        waiting.wait(0.05)
    found.stop(run)
    ended(found, run)
    status = RunStatus.read(run)
    assert progress.phase_of(run, found)["phase"] == "stopped"
    found.resume(run, {"samples": status.samples_seen + 64})
    ended(found, run)
    assert progress.phase_of(run, found)["phase"] == "finished", found.output(run.name)
    assert os.access(run / "generator.safetensors", os.R_OK)

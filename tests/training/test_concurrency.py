"""Two trainings and an evaluation of one of them at once: nobody disturbs another, and
no reader sees half a file."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from equipoise import GAN
from equipoise.runs.directory import RunDirectory
from equipoise.runs.serialization import unpack

pytestmark = pytest.mark.usefixtures("brief_reports")
HANGING = 900  # seconds, after which something hangs, however busy the machine is
TRAIN = """
import sys
import time
from pathlib import Path
from equipoise import GAN
from equipoise.training.events import Report

out, release = map(Path, sys.argv[1:])

def wait(event):  # near the end, so that the training does not end before the evaluation does
    while isinstance(event, Report) and event.progress > 0.8 and not release.exists():
        time.sleep(0.01)

GAN(samples=600 * 32, batch_size=32, width=8, threads=1).fit("gaussian", out=out, callbacks=[wait])
"""


def start(out: Path, release: Path) -> subprocess.Popen[bytes]:
    """A training in another process, which does not end before the file `release` is
    there."""
    return subprocess.Popen(
        [sys.executable, "-c", TRAIN, str(out), str(release)], stderr=subprocess.PIPE
    )


def ended(process: subprocess.Popen[bytes]) -> None:
    _, stderr = process.communicate(timeout=HANGING)
    assert process.returncode == 0, stderr


def test_two_trainings_and_an_evaluation_of_a_running_one_do_not_disturb_each_other(
    tmp_path: Path,
) -> None:
    release = tmp_path / "release"
    release.touch()
    ended(start(tmp_path / "alone", release))
    release.unlink()
    trainings = [start(tmp_path / name, release) for name in ("watched", "other")]
    watched, seen, evaluated = RunDirectory(tmp_path / "watched"), 0, set()
    deadline = time.monotonic() + HANGING
    while (
        (seen < 80 or not evaluated) and time.monotonic() < deadline and trainings[0].poll() is None
    ):
        if not watched.generator.is_file():
            time.sleep(0.01)
            continue
        lines = watched.read_log(pytest.fail)
        assert len(lines) >= seen
        seen = len(lines)
        unpack(watched.generator)
        if len(evaluated) < 3:  # takes longest
            evaluated.add(GAN.load(watched.path, device="cpu").evaluate().samples_seen)
    release.touch()
    for training in trainings:
        ended(training)
    assert seen >= 80
    assert evaluated
    alone = (tmp_path / "alone" / "generator.safetensors").read_bytes()
    assert [
        (tmp_path / name / "generator.safetensors").read_bytes() == alone
        for name in ("watched", "other")
    ] == [True, True]

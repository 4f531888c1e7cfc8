"""Two trainings and an evaluation of one of them at once: nobody disturbs another, and no reader sees half a file."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from equipoise import GAN
from equipoise.training.files import unpack
from equipoise.training.rundir import RunDirectory

pytestmark = pytest.mark.usefixtures("brief_reports")

OPTIONS = ["--samples", "60000", "--batch-size", "32", "--width", "8", "--threads", "1"]


def start(out: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "equipoise", "train", "gaussian", "--out", str(out), *OPTIONS]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def ended(process: subprocess.Popen[bytes]) -> None:
    _, told = process.communicate(timeout=120)
    assert process.returncode == 0, told


def test_two_trainings_and_an_evaluation_of_a_running_one_do_not_disturb_each_other(tmp_path: Path) -> None:
    ended(start(tmp_path / "alone"))
    trainings = [start(tmp_path / name) for name in ("watched", "other")]
    watched, seen, evaluated = RunDirectory(tmp_path / "watched"), 0, set()
    while trainings[0].poll() is None:
        if not watched.generator.is_file():
            time.sleep(0.01)
            continue
        lines = watched.read_log(pytest.fail)
        assert len(lines) >= seen
        seen = len(lines)
        unpack(watched.generator)
        if len(evaluated) < 3:  # takes longest
            evaluated.add(GAN.load(watched.path, device="cpu").evaluate().samples_seen)
    for training in trainings:
        ended(training)
    assert seen > 10
    assert evaluated
    alone = (tmp_path / "alone" / "generator.safetensors").read_bytes()
    assert [(tmp_path / name / "generator.safetensors").read_bytes() == alone for name in ("watched", "other")] == [True, True]

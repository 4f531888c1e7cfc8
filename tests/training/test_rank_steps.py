"""A step of several processes is that of one on the same batch, for every recipe."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.training.rank_steps import CASES

from equipoise.networks import pretrained
from equipoise.recipes import catalogue

SCRIPT = Path(__file__).parent / "rank_steps.py"
TOLERANCE = 1e-6


def differences(meeting: Path, ranks: int, through: str) -> dict[str, float]:
    """What rank 0 of so many processes prints, of all recipes."""
    names = [
        name
        for name, (recipe, _, _) in CASES.items()
        if recipe != "projected" or pretrained.is_installed()
    ]
    processes = [
        subprocess.Popen(
            [sys.executable, str(SCRIPT), str(meeting), str(rank), str(ranks), through, *names],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "GLOO_SOCKET_IFNAME": "lo", "OMP_NUM_THREADS": "1"},
        )
        for rank in range(ranks)
    ]
    try:
        answers = [process.communicate(timeout=300)[0] for process in processes]
    finally:
        for process in processes:
            process.kill()
    assert not any(process.returncode for process in processes), "\n".join(answers)
    found: dict[str, float] = json.loads(answers[0].splitlines()[-1])
    return found


def test_steps_of_two_processes_are_those_of_one_for_every_recipe(tmp_path: Path) -> None:
    # Rows that are drawn by category are drawn by each rank for itself.
    tables_only = {name for name, recipe in catalogue().items() if recipe.tables_only}
    assert {recipe for recipe, _, _ in CASES.values()} == set(catalogue()) - tables_only
    found = differences(tmp_path / "meeting", 2, "memory")
    assert {name: off for name, off in found.items() if off > TOLERANCE} == {}


@pytest.mark.slow
def test_steps_of_four_processes_are_those_of_one_for_every_recipe(tmp_path: Path) -> None:
    found = differences(tmp_path / "meeting", 4, "sockets")
    assert {name: off for name, off in found.items() if off > TOLERANCE} == {}

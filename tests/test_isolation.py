"""A run of the tests depends on nothing that it does not bring, and leaves nothing
behind."""

from __future__ import annotations

import importlib
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.isolation import ROOT, Writes

RNG = np.random.default_rng(0)
DRAWN: list[tuple[Any, ...]] = []


def test_the_home_directory_and_all_caches_are_this_runs_own(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    home = Path.home()
    assert home.name == "home"
    assert tmp_path_factory.getbasetemp().is_relative_to(home.parent)
    for name in ("XDG_CACHE_HOME", "HYPOTHESIS_STORAGE_DIRECTORY", "TORCHINDUCTOR_CACHE_DIR"):
        assert Path(os.environ[name]).is_relative_to(home)
    assert Path(os.environ.get("EQUIPOISE_DATA", "/")).is_absolute()
    command = [sys.executable, "-c", "from pathlib import Path; print(Path.home())"]
    assert subprocess.run(
        command, capture_output=True, text=True, check=True
    ).stdout.strip() == str(home)


@pytest.mark.parametrize("_", range(2))
def test_random_numbers_are_the_same_whatever_ran_before(_: int) -> None:
    drawn = (random.random(), np.random.random(), float(torch.rand(())), RNG.random())
    DRAWN.append(drawn)
    assert drawn == DRAWN[0]
    random.seed(5)


@pytest.mark.parametrize("_", range(2))
def test_one_thread_is_used_whatever_the_test_before_has_set(_: int) -> None:
    assert torch.get_num_threads() == 1
    torch.set_num_threads(2)


def test_what_hypothesis_draws_does_not_depend_on_the_modules_that_are_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def drawn() -> list[tuple[int, str]]:
        found = []

        @settings(derandomize=True, max_examples=100)
        @given(st.integers(), st.text())
        def draw(number: int, text: str) -> None:
            found.append((number, text))

        draw()
        return found

    if not settings().derandomize:
        pytest.skip("a search draws from them")
    before = drawn()
    numbers = ", ".join(map(str, range(10**6, 10**6 + 999)))
    (tmp_path / "constants_of_this_module.py").write_text(f"NUMBERS = [{numbers}]\n")
    monkeypatch.syspath_prepend(tmp_path)
    importlib.import_module("constants_of_this_module")
    assert drawn() == before


def test_a_write_outside_of_temporary_directories_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "inside").mkdir()
    (tmp_path / "outside").mkdir()
    writes = Writes([tmp_path / "inside"])
    writes.watch()
    (tmp_path / "inside" / "a").write_text("")
    (tmp_path / "inside" / "a").rename(tmp_path / "inside" / "b")
    Path("/dev/null").write_text("")
    assert writes.found == []
    (tmp_path / "outside" / "a").write_text("")
    (tmp_path / "inside" / "b").rename(tmp_path / "outside" / "b")
    os.close(os.open(tmp_path / "outside" / "c", os.O_CREAT | os.O_WRONLY))
    (tmp_path / "outside" / "c").unlink()
    (tmp_path / "outside" / "a").read_text()
    assert [entry.split(" ")[0] for entry in writes.found] == [
        "open",
        "os.rename",
        "open",
        "os.remove",
    ]
    writes.look("open", ROOT / "README.md")
    assert writes.found[-1] == f"open {ROOT / 'README.md'}"
    writes.allowed = ["/"]  # for the rest of the process, since the hook stays

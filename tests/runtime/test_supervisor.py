"""What becomes of the other processes when one has failed."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from equipoise.errors import EquipoiseError
from equipoise.runtime import supervisor
from equipoise.runtime.supervisor import Child, Supervisor


@pytest.fixture
def children(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Child]]:
    """Three processes that would run for long, and have little time to end."""
    monkeypatch.setattr(supervisor, "GRACE", 0.1)
    with ExitStack() as stack:
        started = [subprocess.Popen(["sleep", "1000"]) for _ in range(3)]
        for child in started:
            stack.callback(child.wait)
            stack.callback(child.kill)
        yield started


@pytest.mark.parametrize("lost", [0, 1, 2])
def test_a_killed_rank_ends_others_that_hang_and_is_named(
    lost: int, children: list[Child], tmp_path: Path
) -> None:
    (tmp_path / "meeting.run").write_text("runs/mine")
    children[lost].kill()
    with pytest.raises(
        EquipoiseError, match=f"rank {lost} of 3 processes was ended by SIGKILL; wh"
    ):
        Supervisor(children, tmp_path / "meeting.run").run()
    others = {child.returncode for rank, child in enumerate(children) if rank != lost}
    assert others == {-signal.SIGTERM}

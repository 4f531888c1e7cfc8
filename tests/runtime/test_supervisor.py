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


def ending(stack: ExitStack, *commands: str) -> list[Child]:
    """Processes that run these commands."""
    started = []
    for command in commands:
        started.append(subprocess.Popen(["sh", "-c", command]))
        stack.callback(started[-1].wait)
        stack.callback(started[-1].kill)
    return started


@pytest.fixture
def children(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Child]]:
    """Three processes that would run for long, and have little time to end."""
    monkeypatch.setattr(supervisor, "GRACE", 0.1)
    with ExitStack() as stack:
        yield ending(stack, *["exec sleep 1000"] * 3)


@pytest.mark.parametrize("lost", [0, 1, 2])
def test_a_killed_rank_ends_others_that_hang_and_is_named(
    lost: int, children: list[Child], tmp_path: Path
) -> None:
    (tmp_path / "meeting.rest").write_text("what is saved is in runs/mine")
    children[lost].kill()
    with pytest.raises(
        EquipoiseError, match=f"rank {lost} of 3 processes was ended by SIGKILL; what is"
    ):
        Supervisor(children, tmp_path / "meeting.rest").run()
    others = {child.returncode for rank, child in enumerate(children) if rank != lost}
    assert others == {-signal.SIGTERM}


def test_ranks_that_fail_together_have_the_status_of_rank_0_which_says_why(tmp_path: Path) -> None:
    with ExitStack() as stack:
        children = ending(stack, "sleep 0.2; exit 2", "exit 2")
        assert Supervisor(children, tmp_path / "meeting.rest").run() == 2


def test_a_rank_that_fails_alone_is_named(tmp_path: Path) -> None:
    with ExitStack() as stack:
        children = ending(stack, "exit 0", "exit 1")
        with pytest.raises(EquipoiseError, match=r"rank 1 of 2 processes has failed$"):
            Supervisor(children, tmp_path / "meeting.rest").run()

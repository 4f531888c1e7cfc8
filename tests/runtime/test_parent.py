"""What a rank does when the process that started it is gone."""

from __future__ import annotations

import signal
import threading

import pytest

from equipoise.runtime import parent
from equipoise.runtime.ranks import SINGLE, Ranks
from equipoise.training.events import Control
from equipoise.training.signals import signals_stop


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The signals that this process would have sent."""
    found: list[int] = []
    monkeypatch.setattr(parent.os, "kill", lambda _, number: found.append(number))
    monkeypatch.setattr(parent, "_ends_by_itself", threading.Event())
    return found


def lose_parent() -> None:
    before = set(threading.enumerate())
    parent._when(lambda: None)
    for thread in set(threading.enumerate()) - before:
        thread.join()


@pytest.mark.parametrize(
    ("ranks", "reason", "expected"),
    [
        (Ranks(0, 2), None, [signal.SIGTERM]),
        (Ranks(0, 2), "target", [signal.SIGTERM]),
        (Ranks(0, 2), "SIGTERM", []),
        (SINGLE, "SIGTERM", [signal.SIGTERM]),
    ],
)
def test_a_rank_that_a_signal_has_stopped_already_gets_no_second_one(
    ranks: Ranks, reason: str | None, expected: list[int], sent: list[int]
) -> None:
    control = Control()
    with signals_stop(control, ranks):
        if reason is not None:
            control.stop(reason)
    lose_parent()
    assert sent == expected

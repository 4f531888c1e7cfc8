"""Ranks that work apart and in step: what one has done, its error and its signal are
known to all. Threads stand for processes."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from equipoise.errors import EquipoiseError, RequestError
from equipoise.runtime.lockstep import StoppedError, in_step
from equipoise.runtime.ranks import SINGLE, OtherRankError, Ranks

LIMIT = 600.0  # seconds, for what hangs


class ThreadRanks(Ranks):
    """A rank whose others are threads of this process."""

    def __init__(self, rank: int, size: int, board: list[Any], meeting: threading.Barrier) -> None:
        super().__init__(rank, size)
        self.board, self.meeting = board, meeting

    def of_all(self, value: Any) -> list[Any]:
        self.board[self.rank] = value
        self.meeting.wait(LIMIT)
        values = [*self.board]
        self.meeting.wait(LIMIT)
        return values


def outcomes(*work: Callable[[Callable[[int], None]], None], signals: Any = ()) -> list[Any]:
    """What each rank ends with: the amounts that it saw, or its error.

    Args:
        work: Of each rank.
        signals: The rank that has received each signal.
    """
    size = len(work)
    board, meeting, ended = [None] * size, threading.Barrier(size), list[Any]([None] * size)
    received = dict(signals)

    def run(rank: int) -> None:
        seen: list[int] = []
        try:
            ranks = ThreadRanks(rank, size, board, meeting)
            with in_step(ranks, seen.append, lambda: received.get(rank)) as done:
                work[rank](done)
            ended[rank] = seen
        except Exception as error:
            ended[rank] = error

    threads = [threading.Thread(target=run, args=(rank,)) for rank in range(size)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LIMIT)
    return ended


def parts(*amounts: int) -> Callable[[Callable[[int], None]], None]:
    def work(done: Callable[[int], None]) -> None:
        for amount in amounts:
            done(amount)

    return work


def test_all_see_what_all_have_done_and_end_together() -> None:
    assert outcomes(parts(1, 2, 3), parts(10), parts()) == [[11, 2, 3, 0]] * 3
    seen: list[int] = []
    with in_step(SINGLE, seen.append, lambda: None) as done:
        parts(1, 2)(done)
    assert seen == [1, 2, 0]


@pytest.mark.parametrize("others", [parts(), parts(1), parts(1, 1, 1, 1)])
def test_an_error_of_one_rank_ends_all_with_its_message_and_status(others: Any) -> None:
    def fails(done: Callable[[int], None]) -> None:
        done(1)
        raise RequestError("too few rows")

    first, second = outcomes(others, fails)
    assert type(second) is RequestError
    assert isinstance(first, OtherRankError)
    assert (str(first), first.status) == ("rank 1: too few rows", 2)


def test_errors_of_several_ranks_at_once_are_each_their_own() -> None:
    def fails(_: Callable[[int], None]) -> None:
        raise EquipoiseError("disk full")

    assert [str(error) for error in outcomes(fails, fails)] == ["disk full"] * 2


def test_a_signal_to_one_rank_stops_all() -> None:
    ended = outcomes(parts(1, 1), parts(1), signals={1: "SIGTERM"})
    assert [type(error) for error in ended] == [StoppedError] * 2
    assert {error.signal for error in ended} == {"SIGTERM"}

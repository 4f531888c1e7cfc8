"""Work that ranks do apart from each other, in step.

After each part of its work a rank tells the others how much it did, and learns whether
one of them failed or was told to stop. So no rank works on for nothing, and none waits
longer than a part takes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from equipoise.errors import first_line
from equipoise.runtime.ranks import LostRankError, OtherRankError, Ranks


class StoppedError(Exception):
    """A signal to one of the ranks stopped the work of all.

    Args:
        signal: Its name.
    """

    def __init__(self, signal: str) -> None:
        super().__init__(signal)
        self.signal = signal


@dataclass(frozen=True)
class _Word:
    """What a rank tells the others."""

    amount: int = 0
    """Of work done since the last word."""
    signal: str | None = None
    """That told it to stop."""
    failed: tuple[str, int] | None = None
    """The message and the exit status of its error."""
    is_last: bool = False
    """Whether it has no work left."""


@contextmanager
def in_step(
    ranks: Ranks, on_progress: Callable[[int], None], stop_signal: Callable[[], str | None]
) -> Iterator[Callable[[int], None]]:
    """A context for a rank's own part of the work, which ends when all have ended.

    Args:
        ranks: The processes.
        on_progress: Called with each amount of work that all did together.
        stop_signal: Returns the name of a signal that this rank has received.

    Yields:
        A function to call with each amount of work done; ranks need not call it equally
        often.

    Raises:
        OtherRankError: Another rank has failed.
        StoppedError: One of them received a signal.
    """

    def tell(word: _Word) -> bool:
        """Tell the others, and return whether all have ended."""
        words = ranks.of_all(word)
        for rank, other in enumerate(words):
            if other.failed is not None and rank != ranks.rank:
                message, status = other.failed
                raise OtherRankError(f"rank {rank}: {message}", status)
        for other in words:
            if other.signal is not None:
                raise StoppedError(other.signal)
        on_progress(sum(other.amount for other in words))
        return all(other.is_last for other in words)

    def done(amount: int) -> None:
        tell(_Word(amount, stop_signal()))

    try:
        yield done
    except (OtherRankError, LostRankError, StoppedError):  # all know
        raise
    except Exception as error:
        ranks.of_all(_Word(failed=(first_line(error), getattr(error, "status", 1))))
        raise
    while not tell(_Word(signal=stop_signal(), is_last=True)):
        pass

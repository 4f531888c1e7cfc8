"""What the speed benchmarks share: steps timed in turns, ratios, spreads and goals."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

Step = Callable[[], object]
WARM_UP = 10  # steps before a block's length is chosen


@dataclass(frozen=True)
class Measurement:
    """What a benchmark found: how it was measured, in a sentence or two, and a table,
    of which the first row names the columns."""

    how: str
    rows: list[list[str]]


@dataclass
class Timed:
    """Seconds a step, one value for each block: by the clock on the wall, and of all
    this process's threads on processors."""

    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)


def in_turns(steps: Mapping[str, Step], blocks: int, block_seconds: float) -> dict[str, Timed]:
    """Time each of `steps` in `blocks` blocks of about `block_seconds`, all in turns
    and every other round backwards, so that whatever slows the machine for a while
    slows them alike."""
    lengths = {}
    for name, step in steps.items():
        run(step, WARM_UP)
        lengths[name] = max(round(block_seconds / run(step, WARM_UP)[0]), 1)
    timed = {name: Timed() for name in steps}
    for block in range(blocks):
        names = list(steps)
        for name in names if block % 2 == 0 else reversed(names):
            wall, cpu = run(steps[name], lengths[name])
            timed[name].wall.append(wall)
            timed[name].cpu.append(cpu)
    return timed


def run(step: Step, times: int) -> tuple[float, float]:
    """Seconds a step over `times` steps: on the wall, and on processors."""
    wall, cpu = time.perf_counter(), time.process_time()
    for _ in range(times):
        step()
    return (time.perf_counter() - wall) / times, (time.process_time() - cpu) / times


def ratios(above: Sequence[float], below: Sequence[float]) -> list[float]:
    """The ratio of every block to the block beside it."""
    return [a / b for a, b in zip(above, below, strict=True)]


def spread(values: Sequence[float], digits: int = 2) -> str:
    """The median, and the lowest and the highest."""
    return (
        f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f} to "
        f"{max(values):.{digits}f})"
    )


def against(value: float, goal: float, unit: str = "", at_most: bool = True) -> str:
    """A goal, and whether this value meets it."""
    met = value <= goal if at_most else value >= goal
    return f"{'≤' if at_most else '≥'} {goal:g}{unit}: {'met' if met else '**missed**'}"

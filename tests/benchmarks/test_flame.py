"""The flame graph: what goes into which box, and how wide it is."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from benchmarks import flame


def test_boxes_of_a_flame_graph_are_as_wide_as_their_time() -> None:
    root = flame.Frame(
        "all", 10.0, 1, {"a <b>": flame.Frame("a <b>", 7.5, 2), "c": flame.Frame("c", 2.0, 1)}
    )
    assert root.alone == pytest.approx(0.5)
    image = flame.svg(root, "title")
    inner = flame.WIDTH - 2 * flame.MARGIN
    assert f'width="{0.75 * inner - 0.4:.2f}"' in image
    assert f'x="{flame.MARGIN + 0.75 * inner:.2f}"' in image
    assert "<title>a &lt;b&gt;: 75.0%, 75.0% of it alone, 2 calls</title>" in image


@dataclass
class Event:
    """As torch's profiler has them, as far as the flame graph reads them."""

    name: str
    start: float
    micros: float
    cpu_children: list[Event] = field(default_factory=list)

    @property
    def time_range(self) -> Event:
        return self

    def elapsed_us(self) -> float:
        return self.micros


def test_a_flame_graph_adds_up_events_of_one_place_and_puts_autograds_nodes_together() -> None:
    node = flame.AUTOGRAD + "MulBackward0"
    first = Event(
        "part", 0, 10, [Event("aten::mul", 1, 3), Event(node, 5, 4, [Event("aten::mul", 6, 1)])]
    )
    root = flame.Frame("all")
    root.take([first, Event("part", 20, 6, [Event("aten::mul", 21, 5)])])
    part = root.below["part"]
    assert (part.total, part.calls) == (16, 2)
    assert {
        name: (below.total, below.calls)
        for name, below in part.below.items()
        if name != flame.BACKWARD
    } == {"aten::mul": (8, 2)}
    backward = part.below[flame.BACKWARD]
    assert (backward.total, backward.alone) == (4, 0)
    assert (backward.below["MulBackward0"].total, backward.below["MulBackward0"].alone) == (4, 3)
    assert part.alone == 16 - 8 - 4

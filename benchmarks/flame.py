"""Where the time of a training step on MNIST goes: a flame graph of torch's profiler,
and the operators that take most.

The profiler's events are laid out as it nests them: a step, its parts, the passes
through the networks, autograd's nodes, operators. The image is one SVG without scripts;
its tooltips are the titles of its boxes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any
from unittest.mock import patch

import torch
from torch import nn
from torch.autograd.profiler import record_function
from torch.profiler import ProfilerActivity, profile

from benchmarks.engine import Engine
from benchmarks.measuring import Table, markdown, run
from equipoise.training import step as step_module
from equipoise.utils.system import usable_cores

IMAGE = Path(__file__).parent / "flame-mnist.svg"
STEPS, QUICK_STEPS, WARM_UP = 60, 10, 10
TOP = 15
PARTS = {"discriminator_step": "D's step", "generator_step": "G's step", "update_ema": "average"}
AUTOGRAD = "autograd::engine::evaluate_function: "
BACKWARD = "backward"
STEP = "training step"
WIDTH, ROW, MARGIN, HEAD = 1400, 19, 12, 58
LETTER = 6.3  # pixels that a letter of the boxes takes
THINNEST = 0.6  # boxes thinner than this, in pixels, are left out
OPERATOR = "aten::"
PRODUCT, NODE, OPTIMISER, OTHER = (
    "products and convolutions",
    "parts, passes, autograd's nodes",
    "optimiser",
    "everything else: copies, element by element",
)
COLOURS = {PRODUCT: "#9ecae1", NODE: "#e3e3e3", OPTIMISER: "#b7dfb0", OTHER: "#fdc38d"}


@dataclass
class Frame:
    """All events of one name at one place of the tree: microseconds, and what was
    called from there, in the order it first came."""

    name: str
    total: float = 0.0
    calls: int = 0
    below: dict[str, Frame] = field(default_factory=dict)

    @property
    def alone(self) -> float:
        """Microseconds that no event below accounts for."""
        return self.total - sum(frame.total for frame in self.below.values())

    def take(self, events: Iterable[Any]) -> None:
        """Add events of torch's profiler below this frame; autograd's nodes, which no
        event calls, go into one frame."""
        for event in events:
            at = self.child(BACKWARD) if event.name.startswith(AUTOGRAD) else self
            frame = at.child(event.name.removeprefix(AUTOGRAD))
            micros = float(event.time_range.elapsed_us())
            if at is not self:
                at.total += micros
            frame.total += micros
            frame.calls += 1
            frame.take(sorted(event.cpu_children, key=lambda child: child.time_range.start))

    def child(self, name: str) -> Frame:
        return self.below.setdefault(name, Frame(name))

    def walk(self) -> Iterator[Frame]:
        yield self
        for frame in self.below.values():
            yield from frame.walk()


@contextmanager
def named_parts(engine: Engine) -> Iterator[None]:
    """For the while, the profiler hears of the step's parts and of every pass through a
    network."""
    with ExitStack() as stack:
        for name in PARTS.keys() & vars(step_module).keys():
            stack.enter_context(
                patch.object(step_module, name, heard(PARTS[name], getattr(step_module, name)))
            )
        for label, network in (
            ("G(z)", engine.state.generator),
            ("D(x)", engine.state.discriminator),
        ):
            stack.enter_context(passes_heard(network, label))
        yield


def heard(label: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, with its time recorded under a label."""

    def called(*arguments: Any, **named: Any) -> Any:
        with record_function(label):
            return function(*arguments, **named)

    return called


@contextmanager
def passes_heard(network: nn.Module, label: str) -> Iterator[None]:
    """For the while, each forward pass of a network is recorded under a label."""
    with patch.object(network, "forward", heard(label, network.forward)):
        yield


def profiled(steps: int, threads: int) -> Frame:
    """The tree of `steps` steps on MNIST, the whole as its root."""
    engine = Engine("mnist", threads=threads)
    torch.set_num_threads(threads)
    run(engine.step, WARM_UP)
    with named_parts(engine), profile(activities=[ProfilerActivity.CPU]) as taken:
        for _ in range(steps):
            with record_function(STEP):
                engine.step()
    events = [event for event in taken.events() or [] if event.cpu_parent is None]
    whole = Frame("all")
    whole.take(
        sorted(
            (event for event in events if event.name == STEP),
            key=lambda event: event.time_range.start,
        )
    )
    return whole.below[STEP]


def svg(root: Frame, title: str) -> str:
    """The tree as an image, the root on top; widths are shares of its time."""
    boxes: list[str] = []
    depth = draw(root, MARGIN, 0, (WIDTH - 2 * MARGIN) / root.total, root.total, boxes)
    legend, x = [], MARGIN
    for label, colour in COLOURS.items():
        legend.append(
            f'<rect x="{x}" y="32" width="12" height="12" fill="{colour}"/><text x="{x + 17}" '
            f'y="42">{escape(label)}</text>'
        )
        x += 40 + int(LETTER * len(label))
    height = HEAD + (depth + 1) * ROW + MARGIN
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
            f'width="{WIDTH}" height="{height}" '
            'font-family="DejaVu Sans Mono, Menlo, Consolas, monospace" font-size="10.5" '
            'fill="#222">',
            f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>',
            f'<text x="{MARGIN}" y="21" font-size="13">{escape(title)}</text>',
            *legend,
            *boxes,
            "</svg>\n",
        ]
    )


def draw(frame: Frame, x: float, depth: int, scale: float, whole: float, boxes: list[str]) -> int:
    """Add the box of a frame and of all below it, its left edge at x; returns the depth
    of the deepest."""
    width, y = frame.total * scale, HEAD + depth * ROW
    share = frame.total / whole
    tooltip = (
        f"{frame.name}: {share:.1%}, {frame.alone / whole:.1%} of it alone, {frame.calls:,} calls"
    )
    letters = int((width - 6) / LETTER)
    name = frame.name.removeprefix(OPERATOR)
    label = next(
        (full for full in (f"{name} {share:.0%}", name) if len(full) <= letters),
        name[: letters - 1] + "…",
    )
    text = f'<text x="{x + 3:.1f}" y="{y + 13}">{escape(label)}</text>' if letters >= 3 else ""
    box = (
        f'<rect x="{x:.2f}" y="{y}" width="{max(width - 0.4, 0.3):.2f}" height="{ROW - 1}" '
        f'fill="{colour_of(frame.name)}"/>'
    )
    boxes.append(f"<g><title>{escape(tooltip)}</title>{box}{text}</g>")
    deepest = depth
    for child in frame.below.values():
        if child.total * scale >= THINNEST:
            deepest = max(deepest, draw(child, x, depth + 1, scale, whole, boxes))
        x += child.total * scale
    return deepest


def colour_of(name: str) -> str:
    if "adam" in name.lower() or name.startswith("Optimizer"):
        return COLOURS[OPTIMISER]
    if not name.startswith(OPERATOR):
        return COLOURS[NODE]
    return COLOURS[
        PRODUCT if any(word in name for word in ("conv", "mm", "linear", "matmul")) else OTHER
    ]


def flame(quick: bool) -> Table:
    """Write the image, and tell the operators that take most time themselves."""
    steps, threads = QUICK_STEPS if quick else STEPS, usable_cores()
    root = profiled(steps, threads)
    title = (
        f"A training step on MNIST: {root.total / steps / 1e3:.1f} ms with the profiler "
        f"on, {threads} thread(s), {steps} steps"
    )
    IMAGE.write_text(svg(root, title))
    own: dict[str, tuple[float, int]] = {}
    for frame in root.walk():
        micros, calls = own.get(frame.name, (0.0, 0))
        own[frame.name] = micros + frame.alone, calls + frame.calls
    rows = [["operator", "of the time, itself", "ms a step", "calls a step"]]
    for name, (micros, calls) in sorted(own.items(), key=lambda item: -item[1][0])[:TOP]:
        rows.append(
            [
                f"`{name}`",
                f"{micros / root.total:.1%}",
                f"{micros / steps / 1e3:.2f}",
                f"{calls / steps:.1f}",
            ]
        )
    return Table(f"{title}. The image: {IMAGE.name}.", markdown(rows))

"""Images of samples while a training runs: the same histograms, scatters and grids as
`plots` draws, without Matplotlib, in a twentieth of its time.

Axes come from the real samples where there are any, so that images of one run can be
laid side by side.
"""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from equipoise.data.distributions import Distribution
from equipoise.data.schema import Schema
from equipoise.errors import clipped, printable
from equipoise.plotting.plots import (
    GENERATED,
    MAX_COLUMNS,
    MAX_LETTERS,
    MAX_POINTS,
    REAL,
    aspect,
    axis_names,
    bars,
    image_grid,
    outside,
    part,
    reach,
)

if TYPE_CHECKING:
    from PIL import Image, ImageDraw, ImageFont

Array = NDArray[np.float64]
Box = tuple[int, int, int, int]
BARS = 80
SIDE, LEGEND, TITLE = (
    520,
    30,
    34,
)  # pixels: the longer side of a panel's frame, a line below it, a line above all
LEFT, BELOW, GAP = 64, 30, 16  # of ticks, and between panels
NAME = 20  # of the name of an axis
BLACK, FAINT = "#000000", 0.45  # colour of a distribution, opacity of one dot
FINER = 2  # times the pixels that lines are drawn with before they are made smooth
DOT = np.array(
    [[0.3, 0.8, 0.3], [0.8, 1.0, 0.8], [0.3, 0.8, 0.3]]
)  # how much of each pixel a dot covers


@dataclass(frozen=True)
class Frame:
    """Where a panel is, in pixels (left, top, right, bottom), and the values at its
    edges."""

    box: Box
    low: tuple[float, float]
    high: tuple[float, float]

    def place(self, x: Array, y: Array) -> tuple[Array, Array]:
        """The pixels, as fractions, of values x and y."""
        left, top, right, bottom = self.box
        across, up = (
            (x - self.low[0]) / (self.high[0] - self.low[0]),
            (y - self.low[1]) / (self.high[1] - self.low[1]),
        )
        return left + across * (right - left), bottom - up * (bottom - top)


def sketch(
    values: Array,
    schema: Schema,
    limits: tuple[float, float] | None,
    distribution: Distribution | None,
    real: Array | None,
    title: str,
) -> bytes:
    """A PNG of `values`, (n, *shape) in the user's units, as their kind asks for,
    beside the distribution or the `real` samples if they are known."""
    if schema.is_image:
        return image_grid(values, limits)
    names = axis_names(schema)
    if schema.size == 2:
        some = None if real is None else real[:MAX_POINTS]
        return _scatter(values[:MAX_POINTS], some, distribution, names, title)
    known = distribution if schema.size == 1 else None
    return _histograms(values, real, known, names[:MAX_COLUMNS], title + part(schema))


def _scatter(
    values: Array,
    real: Array | None,
    distribution: Distribution | None,
    names: Sequence[str],
    title: str,
) -> bytes:
    low, high = reach(values if real is None else real)
    modes = distribution.modes() if distribution is not None else None
    sides = high - low if aspect(high - low) == "equal" else np.ones(2)
    width, height = (round(SIDE * side / sides.max()) for side in sides)
    numbers = max(_font(12).getlength(words) for words in _numbered(_ticks(low[1], high[1])))
    left = max(LEFT, math.ceil(numbers) + 12) + NAME
    box = (left, TITLE, left + width, TITLE + height)
    frame = Frame(box, (low[0], low[1]), (high[0], high[1]))
    image, draw = _blank(box[2] + GAP, box[3] + BELOW + NAME + LEGEND)
    clouds = [*([(real, REAL)] if real is not None else []), (values, GENERATED)]
    for points, color in sorted(clouds, key=lambda cloud: -len(cloud[0])):  # the fewer on top
        _dots(image, frame, points, color)
    _axes(draw, frame, both=True)
    _name(image, names[0], ((box[0] + box[2]) / 2, box[3] + BELOW + NAME / 2 - 2))
    _name(image, names[1], (NAME / 2, (box[1] + box[3]) / 2), upwards=True)
    if modes is not None:
        for x, y in zip(*frame.place(*modes[0].T), strict=True):
            draw.ellipse((x - 4, y - 4, x + 4, y + 4), outline=BLACK)
    legend = [
        (GENERATED, _count(values, frame, "generated")),
        *([(REAL, f"{len(real):,} real")] if real is not None else []),
    ]
    legend += [(BLACK, "the distribution's modes")] if modes is not None else []
    _words(draw, frame, title, legend, NAME)
    return _png(image)


def _histograms(
    values: Array,
    real: Array | None,
    distribution: Distribution | None,
    names: Sequence[str],
    title: str,
) -> bytes:
    """The first columns, as many as there are names."""
    count = len(names)
    across = min(count, 3)
    width, height = (SIDE, 360) if count == 1 else (240, 150)
    named = NAME if count == 1 else 0  # of several panels each has its name inside
    down = math.ceil(count / across)
    whole = (LEFT + width) * across + GAP, TITLE + (height + BELOW + LEGEND) * down + named
    image, draw = _blank(*whole)
    low, high = reach((values if real is None else real)[:, :count])
    frames, lines = [], []
    for i in range(count):
        left, top = (
            LEFT + (i % across) * (LEFT + width),
            TITLE + (i // across) * (height + BELOW + LEGEND),
        )
        edges = np.linspace(low[i], high[i], BARS + 1)
        middle, made = (edges[1:] + edges[:-1]) / 2, bars(values[:, i], edges)
        known = distribution.density(middle) if distribution is not None else None
        beside = (
            known if known is not None else bars(real[:, i], edges) if real is not None else None
        )
        highest = 1.3 * float((made if beside is None else beside).max()) or 1.0
        frame = Frame(
            (left, top, left + width, top + height), (edges[0], 0.0), (edges[-1], highest)
        )
        _fill(image, frame, made)
        frames.append(frame)
        lines.append((middle, beside, known is None))
    for frame, name, (x, y, stepped) in zip(frames, names, lines, strict=True):
        _axes(draw, frame, both=False)
        if y is not None:
            _curve(image, frame, *_steps(x, y) if stepped else (x, y))
        if named:
            left, _, right, bottom = frame.box
            _name(image, name, ((left + right) / 2, bottom + BELOW + NAME / 2 - 2))
        else:
            at = (frame.box[0], frame.box[1] + 2)
            draw.text(at, f" {clipped(printable(name))}", fill=BLACK, font=_font(12))
    legend = [
        (
            GENERATED,
            _count(values, frames[0], "generated") if count == 1 else f"{len(values):,} generated",
        )
    ]
    if not lines[0][2]:
        legend.append((BLACK, "the distribution's density"))
    elif real is not None:
        legend.append((BLACK, f"{len(real):,} real"))
    box = (LEFT, TITLE, whole[0] - GAP, whole[1] - BELOW - LEGEND - named)
    _words(draw, Frame(box, frames[0].low, frames[0].high), title, legend, named)
    return _png(image)


def _steps(x: Array, y: Array) -> tuple[Array, Array]:
    """The outline of bars of heights y about x."""
    half = (x[1] - x[0]) / 2
    return np.stack([x - half, x + half], 1).ravel(), np.repeat(y, 2)


def _count(values: Array, frame: Frame, what: str) -> str:
    """How many there are, and how many of them the frame does not show."""
    low, high = (np.array(side[: values.shape[1]]) for side in (frame.low, frame.high))
    return f"{len(values):,} {what}{outside(values, low, high)}"


def _lay(image: Image.Image, box: Box, opacity: Array, color: str) -> None:
    """Lay a colour over a part of the image, (height, width) of opacities, 0 to 1."""
    from PIL import Image

    image.paste(color, box, Image.fromarray((opacity * 255).astype(np.uint8)))


def _dots(image: Image.Image, frame: Frame, points: Array, color: str) -> None:
    """A dot for each of the points, (N, 2), with more colour where they are dense."""
    left, top, right, bottom = frame.box
    width, height = right - left, bottom - top
    x, y = frame.place(points[:, 0], points[:, 1])
    with np.errstate(invalid="ignore"):
        inside = (x >= left + 1) & (x < right - 1) & (y >= top + 1) & (y < bottom - 1)
    at = (y[inside].astype(np.int64) - top) * width + x[inside].astype(np.int64) - left
    around = (np.arange(-1, 2)[:, None] * width + np.arange(-1, 2)).ravel()
    clear = np.repeat(
        np.log(1 - FAINT * DOT.ravel()), len(at)
    )  # logarithms: what dots leave clear multiplies
    left_clear = np.bincount((around[:, None] + at).ravel(), clear, minlength=width * height)
    _lay(image, frame.box, (1 - np.exp(left_clear)).reshape(height, width), color)


def _fill(image: Image.Image, frame: Frame, heights: Array) -> None:
    """Bars of these heights, as wide as the frame together."""
    left, top, right, bottom = frame.box
    bar = heights[np.arange(right - left) * len(heights) // (right - left)]
    filled = bar / frame.high[1] * (bottom - top) - np.arange(bottom - top)[::-1, None]
    _lay(image, frame.box, 0.65 * filled.clip(0, 1), GENERATED)


def _curve(image: Image.Image, frame: Frame, x: Array, y: Array) -> None:
    """A smooth line through values x and y."""
    from PIL import Image, ImageDraw

    left, top, right, bottom = frame.box
    mask = Image.new("L", ((right - left) * FINER, (bottom - top) * FINER))
    across, down = frame.place(x, y)
    places = np.stack([(across - left) * FINER, (down - top) * FINER], 1)
    ImageDraw.Draw(mask).line([(px, py) for px, py in places.tolist()], fill=255, width=3)
    image.paste(BLACK, frame.box, mask.reduce(FINER))


def _axes(draw: ImageDraw.ImageDraw, frame: Frame, both: bool) -> None:
    """A frame with ticks along it, on both axes or below."""
    left, _, right, bottom = frame.box
    if both:
        draw.rectangle(frame.box, outline=BLACK)
    else:
        draw.line([(left, bottom), (right, bottom)], fill=BLACK)
    across, free = _ticks(frame.low[0], frame.high[0]), -math.inf
    for value, words in zip(across, _numbered(across), strict=True):
        x = frame.place(np.array(value), np.zeros(()))[0].item()
        draw.line([(x, bottom), (x, bottom + 4)], fill=BLACK)
        half = draw.textlength(words, font=_font(12)) / 2
        if (
            x - half > free and x + half < right + GAP
        ):  # long numbers of a small panel would run into one another, or out of the image
            draw.text((x, bottom + 6), words, fill=BLACK, font=_font(12), anchor="ma")
            free = x + half + 4
    up = _ticks(frame.low[1], frame.high[1]) if both else []
    for value, words in zip(up, _numbered(up), strict=True):
        y = frame.place(np.zeros(()), np.array(value))[1].item()
        draw.line([(left - 4, y), (left, y)], fill=BLACK)
        draw.text((left - 7, y), words, fill=BLACK, font=_font(12), anchor="rm")


def _ticks(low: float, high: float) -> list[float]:
    """Three to seven round numbers from low to high."""
    rough = (high - low) / 6
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(times * power for times in (1, 2, 5, 10) if times * power >= rough)
    return [
        float(f"{i * step:.12g}") for i in range(math.ceil(low / step), math.floor(high / step) + 1)
    ]


def _numbered(ticks: Sequence[float]) -> list[str]:
    """Ticks in words, with as many digits as tell them apart."""
    step = min((after - before for before, after in pairwise(ticks)), default=0.0)
    digits = 6 if step <= 0 else max(math.floor(math.log10(max(map(abs, ticks)) / step)) + 2, 6)
    return [f"{value:.{digits}g}" for value in ticks]


def _name(
    image: Image.Image, name: str, middle: tuple[float, float], upwards: bool = False
) -> None:
    """The name of an axis about this place, in
    pixels; `upwards` to be read from below."""
    from PIL import Image, ImageDraw

    words = clipped(printable(name))
    patch = Image.new("L", (math.ceil(_font(12).getlength(words)) + 2, NAME))
    ImageDraw.Draw(patch).text(
        (patch.width / 2, NAME / 2), words, fill=255, font=_font(12), anchor="mm"
    )
    if upwards:
        patch = patch.transpose(Image.Transpose.ROTATE_90)
    image.paste(
        BLACK, (round(middle[0] - patch.width / 2), round(middle[1] - patch.height / 2)), patch
    )


def _words(
    draw: ImageDraw.ImageDraw,
    frame: Frame,
    title: str,
    legend: Sequence[tuple[str, str]],
    named: int,
) -> None:
    """The title above, and the legend below, with a square of each
    colour; between are `named` pixels for the name of the axis."""
    left, _, right, bottom = frame.box
    draw.text(
        ((left + right) / 2, TITLE / 2),
        clipped(printable(title), MAX_LETTERS),
        fill=BLACK,
        font=_font(14),
        anchor="mm",
    )
    x, y = float(left), bottom + BELOW + named + LEGEND / 2
    for color, words in legend:
        draw.rectangle((x, y - 5, x + 10, y + 5), fill=color)
        draw.text((x + 16, y), words, fill=BLACK, font=_font(12), anchor="lm")
        x += 36 + draw.textlength(words, font=_font(12))


def _blank(width: int, height: int) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    from PIL import Image, ImageDraw

    image = Image.new("RGB", (width, height), "white")
    return image, ImageDraw.Draw(image)


@cache
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    from PIL import ImageFont

    return ImageFont.load_default(size)


def _png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()

"""Charts of a run, each as an image inside the page with a sentence that says what it shows."""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from equipoise.plots import GENERATED, as_they_are

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Array = NDArray[np.float64]
WIDE, HIGH = 6.4, 2.9  # inches of a chart
BALANCE = {
    "probability": "mean probability of the right answer",
    "relativistic": "mean of sigma(D(x) - D(x'))",
}


@dataclass(frozen=True)
class Image:
    """An image for the page: `source` is all of it as a data URI, `alt` what it shows in words, `caption` what a reader should know."""

    source: str
    alt: str
    caption: str = ""


def data_uri(content: bytes, kind: str = "png") -> str:
    """Bytes of an image file as what an <img> can hold."""
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"


def new_figure(width: float = WIDE, height: float = HIGH) -> Figure:
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def finished(figure: Figure, alt: str, caption: str = "") -> Image:
    """The figure as SVG; what is many dots should be rasterized."""
    import matplotlib as mpl

    as_they_are(figure)
    buffer = io.BytesIO()
    with mpl.rc_context({"svg.fonttype": "path", "svg.hashsalt": "equipoise"}):
        figure.savefig(buffer, format="svg", dpi=160, metadata={"Date": None})
    return Image(data_uri(buffer.getvalue(), "svg+xml"), alt, caption)


def _curve(log: Sequence[Mapping[str, Any]], name: str) -> tuple[list[float], list[float]]:
    lines = [line for line in log if isinstance(line.get(name), int | float) and math.isfinite(line[name])]
    return [line["samples_seen"] for line in lines], [line[name] for line in lines]


def losses(log: Sequence[Mapping[str, Any]]) -> Image | None:
    """The two players' losses."""
    curves = {player: _curve(log, f"{player}_loss") for player in ("discriminator", "generator")}
    if not curves["generator"][0]:
        return None
    figure = new_figure()
    axes = _axes(figure, "loss")
    for (player, (seen, values)), color in zip(curves.items(), ("#2f6690", GENERATED), strict=True):
        axes.plot(seen, values, color=color, linewidth=1.4, label=player)
    axes.legend(frameon=False, fontsize=9)
    ends = ", ".join(f"the {player}'s ends at {values[-1]:.3g}" for player, (_, values) in curves.items())
    return finished(
        figure, f"Losses against samples seen: {ends}.", "Losses of a game: that they are level does not say that samples are good."
    )


def balance(log: Sequence[Mapping[str, Any]], meaning: str) -> Image | None:
    """D's balance, which goes to 1/2."""
    seen, values = _curve(log, "balance")
    if not seen:
        return None
    figure = new_figure()
    axes = _axes(figure, BALANCE.get(meaning, "balance"))
    axes.plot(seen, values, color="#2f6690", linewidth=1.4)
    axes.axhline(0.5, color="black", linewidth=1, linestyle="--")
    axes.text(0.995, 0.5, "the optimum, 1/2", transform=axes.get_yaxis_transform(), ha="right", va="bottom", fontsize=8)
    axes.set_ylim(min(0.4, *values), max(1.0, *values))
    return finished(
        figure,
        f"D's balance against samples seen: it ends at {values[-1]:.3f}; the theory's optimum is 0.5.",
        f"The {BALANCE.get(meaning, 'balance')}. At 1/2 the discriminator cannot tell, which is good when it can still see.",
    )


def distance(log: Sequence[Mapping[str, Any]]) -> Image | None:
    """D's difference between real and generated samples, of a method without a balance."""
    seen, real = _curve(log, "real_output")
    fake = _curve(log, "fake_output")[1]
    if not seen:
        return None
    figure = new_figure()
    axes = _axes(figure, "mean D(x) - mean D(x')")
    axes.plot(seen, np.subtract(real, fake), color="#2f6690", linewidth=1.4)
    last = real[-1] - fake[-1]
    return finished(figure, f"D's mean output on real less that on generated samples, against samples seen: it ends at {last:.3g}.")


def headline(log: Sequence[Mapping[str, Any]], name: str) -> Image | None:
    """The headline as it was taken while training."""
    lines = [line for line in log if math.isfinite(line.get("metrics", {}).get(name, math.nan))]
    if len(lines) < 2:
        return None
    figure = new_figure()
    axes = _axes(figure, name)
    values = [line["metrics"][name] for line in lines]
    axes.plot([line["samples_seen"] for line in lines], values, color=GENERATED, marker="o", markersize=3, linewidth=1.4)
    floor = next((line["floors"][name] for line in log if name in line.get("floors", {})), None)
    if floor is not None:
        axes.axhline(floor, color="black", linewidth=1, linestyle="--")
        axes.text(0.995, floor, "real samples", transform=axes.get_yaxis_transform(), ha="right", va="bottom", fontsize=8)
    if min(values) > 0:
        _logarithmic(axes)
    return finished(
        figure,
        f"{name} against samples seen, from {values[0]:.3g} to {values[-1]:.3g}; the best was {min(values):.3g}.",
        "Taken while training, on fewer samples than the table: its level is higher, what counts is whether it still falls.",
    )


def gradients(log: Sequence[Mapping[str, Any]]) -> Image | None:
    """The norms of the gradients."""
    figure = new_figure()
    axes = _axes(figure, "gradient norm")
    for name, label, color in (("gradient_norm_d", "discriminator", "#2f6690"), ("gradient_norm_g", "generator", GENERATED)):
        seen, values = _curve(log, name)
        if not seen:
            return None
        axes.plot(seen, values, color=color, linewidth=1.2, label=label)
    _logarithmic(axes)
    axes.legend(frameon=False, fontsize=9)
    return finished(figure, "Norms of both players' gradients against samples seen.")


def overlaid(curves: Mapping[str, tuple[Sequence[float], Sequence[float]]], name: str) -> Image | None:
    """One figure of several runs against samples seen."""
    shown = {run: curve for run, curve in curves.items() if curve[0]}
    if not shown:
        return None
    figure = new_figure(WIDE, 3.6)
    axes = _axes(figure, name)
    for seen, values in shown.values():
        axes.plot(seen, values, marker="o", markersize=3, linewidth=1.3)
    if all(min(values) > 0 for _, values in shown.values()):
        _logarithmic(axes)
    axes.legend(axes.get_lines(), list(shown), frameon=False, fontsize=8)
    ends = "; ".join(f"{run} ends at {values[-1]:.3g}" for run, (_, values) in shown.items())
    return finished(figure, f"{name} of each run against samples seen: {ends}.")


def _axes(figure: Figure, ylabel: str) -> Axes:
    axes = figure.subplots()
    axes.set_xlabel("samples seen")
    axes.set_ylabel(ylabel)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value / 1e6:g}M" if abs(value) >= 1e6 else f"{value / 1e3:g}k" if value else "0")
    axes.spines[["top", "right"]].set_visible(False)
    return axes


def _logarithmic(axes: Axes) -> None:
    """A logarithmic scale with plain numbers: what sets powers of ten takes longer than the chart."""
    from matplotlib.ticker import LogFormatter

    axes.set_yscale("log")
    axes.yaxis.set_major_formatter(LogFormatter())
    axes.yaxis.set_minor_formatter(LogFormatter(labelOnlyBase=False, minor_thresholds=(1, 0.4)))

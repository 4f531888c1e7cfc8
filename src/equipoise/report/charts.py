"""Charts of a run, each as an image inside the page with a sentence that says what it
shows."""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from equipoise.diagnosis.evidence import comparable_lines
from equipoise.metrics.result import MetricResult
from equipoise.plotting.plots import GENERATED, as_they_are, few_ticks, thousands
from equipoise.utils.formatting import number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

    from equipoise.recipes.output import DiscriminatorOutput

Array = NDArray[np.float64]
WIDE, HIGH = 6.4, 2.9  # inches of a chart
LOGARITHMIC = 5.0  # times the least value from which a scale is logarithmic
MANY_DECADES = 500.0  # the same, from which it shows powers of ten alone
WHILE_TRAINING = "while training, by a quick version of the metric."  # how a curve was measured


@dataclass(frozen=True)
class Curve:
    """A metric through a training: its values against samples seen, its
    baseline, and on how many samples they were measured, where that is known."""

    seen: Sequence[int]
    values: Sequence[float]
    floor: float | None
    measured_on: int | None


@dataclass(frozen=True)
class Image:
    """An image for the page: `source` is all of it as a data URI, `alt` what it shows
    in words, `caption` what a reader should know; a `wide` one has a row of the page
    for itself."""

    source: str
    alt: str
    caption: str = ""
    wide: bool = False


def data_uri(content: bytes, kind: str = "png") -> str:
    """Bytes of an image file as what an <img> can hold."""
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"


def new_figure(width: float = WIDE, height: float = HIGH) -> Figure:
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def finished(figure: Figure, alt: str, caption: str = "", wide: bool = False) -> Image:
    """The figure as SVG; what is many dots should be rasterized."""
    import matplotlib as mpl

    as_they_are(figure)
    buffer = io.BytesIO()
    with mpl.rc_context({"svg.fonttype": "path", "svg.hashsalt": "equipoise"}):
        figure.savefig(buffer, format="svg", dpi=160, metadata={"Date": None})
    return Image(data_uri(buffer.getvalue(), "svg+xml"), alt, caption, wide)


def _curve(log: Sequence[Mapping[str, Any]], name: str) -> tuple[list[float], list[float]]:
    lines = [line for line in log if _finite(line.get(name))]
    return [line["samples_seen"] for line in lines], [line[name] for line in lines]


def _finite(value: Any) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def curve_of(log: Sequence[Mapping[str, Any]], key: str) -> Curve:
    """The metric of this key as it was measured while training."""
    log = comparable_lines(log)
    lines = [line for line in log if _finite(line.get("metrics", {}).get(key))]
    first = next((line for line in log if "floors" in line), {})
    floor = first.get("floors", {}).get(key)
    seen, values = (
        [line["samples_seen"] for line in lines],
        [line["metrics"][key] for line in lines],
    )
    return Curve(seen, values, floor if _finite(floor) else None, first.get("evaluated_samples"))


def losses(log: Sequence[Mapping[str, Any]]) -> Image | None:
    """The two networks' losses."""
    curves = {network: _curve(log, f"{network}_loss") for network in ("discriminator", "generator")}
    if not curves["generator"][0]:
        return None
    figure = new_figure()
    axes = _axes(figure, "loss")
    for (network, (seen, values)), color in zip(
        curves.items(), ("#2f6690", GENERATED), strict=True
    ):
        axes.plot(seen, values, color=color, linewidth=1.4, label=network)
    legend_above(axes)
    ends = ", ".join(
        f"the {network}'s ends at {values[-1]:.3g}" for network, (_, values) in curves.items()
    )
    return finished(
        figure,
        f"Losses against samples seen: {ends}.",
        "GAN losses are relative to the opponent. Flat losses do not mean good samples.",
    )


def balance(log: Sequence[Mapping[str, Any]], output: DiscriminatorOutput) -> Image | None:
    """D's balance, which goes to 1/2; None where its output has none."""
    seen, values = _curve(log, "balance")
    if not seen:
        return None
    figure = new_figure()
    axes = _axes(figure, output.balance_label)
    axes.plot(seen, values, color="#2f6690", linewidth=1.4)
    axes.axhline(0.5, color="black", linewidth=1, linestyle="--", label="the optimum, 1/2")
    legend_above(axes)
    axes.set_ylim(min(0.4, *values), max(1.0, *values))
    return finished(
        figure,
        f"D's balance against samples seen: it ends at {values[-1]:.3f}; the theory's "
        "optimum is 0.5.",
        f"{output.balance_caption} At 0.5 it cannot tell; that is good only if D still "
        "works (see the classifier above).",
    )


def difference(log: Sequence[Mapping[str, Any]], output: DiscriminatorOutput) -> Image | None:
    """D's mean outputs on real and on generated samples, one less the other: for a
    method without a balance."""
    seen, real = _curve(log, "real_output")
    fake = _curve(log, "fake_output")[1]
    if not seen:
        return None
    figure = new_figure()
    axes = _axes(figure, output.difference)
    differences = output.sign * np.subtract(real, fake)
    axes.plot(seen, differences, color="#2f6690", linewidth=1.4)
    return finished(
        figure,
        f"How far apart D keeps real and generated samples, {output.difference}, against "
        f"samples seen: it ends at {differences[-1]:.3g}.",
    )


def primary(log: Sequence[Mapping[str, Any]], table: MetricResult) -> Image | None:
    """The first metric of the table as it was while
    training, with the baseline it had there."""
    label, curve = table.label, curve_of(log, table.key)
    if len(curve.values) < 2:
        return None
    figure = new_figure()
    axes, values = _axes(figure, label), curve.values
    axes.plot(
        curve.seen,
        values,
        color=GENERATED,
        marker="o",
        markersize=3,
        linewidth=1.4,
        label="generated",
    )
    if curve.floor is not None:
        baseline = f"real samples: {number(curve.floor)} (baseline of this curve)"
        axes.axhline(curve.floor, color="black", linewidth=1, linestyle="--", label=baseline)
    legend_above(axes)
    _logarithmic(axes, [*values, curve.floor] if curve.floor is not None else values)
    ends = f"from {number(values[0])} to {number(values[-1])}; the best was {number(min(values))}"
    return finished(figure, f"{label} against samples seen, {ends}.", _why_another(curve, table))


def _why_another(curve: Curve, table: MetricResult) -> str:
    """Why the baseline of a curve is not the table's."""
    on = f"on {curve.measured_on:,} samples " if curve.measured_on else ""
    measured = f"Measured {on}{WHILE_TRAINING}"
    if curve.floor is None or number(curve.floor) == number(table.floor):
        return measured
    n = table.n_samples
    of_table = " apart" if n is None else f" on {n:,} samples"
    if n is not None and n == curve.measured_on:
        of_table += " too, but on other draws of them"
    return (
        f"{measured} Its baseline here is {number(curve.floor)}; the table's, "
        f"{number(table.floor)}, was measured{of_table}."
    )


def gradients(log: Sequence[Mapping[str, Any]]) -> Image | None:
    """The norms of the gradients."""
    figure = new_figure()
    axes, shown = _axes(figure, "gradient norm"), []
    for name, label, color in (
        ("gradient_norm_d", "discriminator", "#2f6690"),
        ("gradient_norm_g", "generator", GENERATED),
    ):
        seen, values = _curve(log, name)
        if not seen:
            return None
        axes.plot(seen, values, color=color, linewidth=1.2, label=label)
        shown += values
    _logarithmic(axes, shown)
    legend_above(axes)
    return finished(figure, "Norms of both networks' gradients against samples seen.")


def overlaid(curves: Mapping[str, Curve], name: str) -> Image | None:
    """One metric of several runs against samples seen, and the baseline of each."""
    shown = {run: curve for run, curve in curves.items() if curve.values}
    if not shown:
        return None
    figure = new_figure(WIDE, 3.6)
    axes = _axes(figure, name)
    for curve in shown.values():
        (line,) = axes.plot(curve.seen, curve.values, marker="o", markersize=3, linewidth=1.3)
        if curve.floor is not None:
            axes.axhline(curve.floor, color=line.get_color(), linewidth=1, linestyle="--")
    floors = [curve.floor for curve in shown.values() if curve.floor is not None]
    _logarithmic(axes, [*(value for curve in shown.values() for value in curve.values), *floors])
    lines = [line for line in axes.get_lines() if line.get_marker() == "o"]
    legend_above(axes, lines, list(shown))
    ends = "; ".join(f"{run} ends at {number(curve.values[-1])}" for run, curve in shown.items())
    caption = f"Measured {WHILE_TRAINING}"
    if floors:
        caption += " Dashed: what real samples get from it. The table's baseline is measured on"
        caption += " other numbers of samples."
    return finished(figure, f"{name} of each run against samples seen: {ends}.", caption, wide=True)


def _axes(figure: Figure, ylabel: str) -> Axes:
    axes = figure.subplots()
    axes.set_xlabel("samples seen")
    axes.set_ylabel(ylabel)
    axes.xaxis.set_major_formatter(lambda value, _: thousands(value))
    axes.xaxis.set_major_locator(few_ticks(7))
    axes.spines[["top", "right"]].set_visible(False)
    return axes


def legend_above(axes: Axes, lines: Sequence[Line2D] = (), names: Sequence[str] = ()) -> None:
    """A legend above the axes, where it covers nothing."""
    handles, labels = (lines, names) if lines else axes.get_legend_handles_labels()
    axes.legend(
        handles,
        labels,
        loc="lower left",
        bbox_to_anchor=(0, 1),
        ncols=1 if lines else 2,
        borderaxespad=0.2,
        frameon=False,
        fontsize=9,
    )


def _logarithmic(axes: Axes, values: Sequence[float]) -> None:
    """A logarithmic scale with plain numbers, where values are above 0 and some are
    many times the least: over a shorter range it would hardly have a round number to
    show."""
    least, most = min(values), max(values)
    if least <= 0 or most < LOGARITHMIC * least:
        return
    from matplotlib.ticker import LogLocator, NullFormatter

    axes.set_yscale("log")
    few = most < MANY_DECADES * least
    axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if few else (1.0,), numticks=12))
    # Powers of ten would take longer to set than the whole chart.
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.yaxis.set_minor_formatter(NullFormatter())

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
from equipoise.plotting.axes import (
    GENERATED,
    REAL,
    legend_above,
    literal_text,
    missing_glyphs,
    round_ticks,
    short_number,
)
from equipoise.utils.formatting import number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from equipoise.recipes.output import DiscriminatorOutput

Array = NDArray[np.float64]
WIDTH, HEIGHT = 5.4, 3.0  # inches of a chart, which half the page's width shows
# The networks' colours: G's is that of its samples.
DISCRIMINATOR, GENERATOR = REAL, GENERATED
MIN_LOG_RATIO = 5.0  # of the greatest to the least value, for a logarithmic scale
MIN_DECADES_RATIO = 500.0  # the same, for ticks at powers of ten alone
ESTIMATE = "w1_times_unknown_factor"  # a critic's reading
QUICK_PROTOCOL = "during training, by a quick version of the metric."


@dataclass(frozen=True)
class Curve:
    """A metric through a training."""

    samples_seen: Sequence[int]
    values: Sequence[float]
    baseline: float | None
    """Its baseline: the same metric of real samples."""
    n_samples: int | None
    """On how many samples it was measured, where that is known."""


@dataclass(frozen=True)
class Image:
    """An image in the page."""

    source: str
    """Its content as a data URI."""
    alt: str
    """What it shows, in words."""
    caption: str = ""
    """How to read it."""
    wide: bool = False
    """Whether it has a row of the page for itself."""


def data_uri(content: bytes, kind: str = "png") -> str:
    """The content of an image file as a data URI."""
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"


def new_figure(width: float = WIDTH, height: float = HEIGHT) -> Figure:
    """An empty figure of this size in inches."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def svg_image(figure: Figure, alt: str, caption: str = "", wide: bool = False) -> Image:
    """The figure as SVG. Scatter plots should be rasterized."""
    import matplotlib as mpl

    literal_text(figure)
    buffer = io.BytesIO()
    with mpl.rc_context({"svg.fonttype": "path", "svg.hashsalt": "equipoise"}), missing_glyphs():
        figure.savefig(buffer, format="svg", dpi=160, metadata={"Date": None})
    return Image(data_uri(buffer.getvalue(), "svg+xml"), alt, caption, wide)


def _readings(log: Sequence[Mapping[str, Any]], name: str) -> tuple[list[float], list[float]]:
    """A reading of the training step against samples seen, where it is finite."""
    lines = [line for line in log if _finite(line.get(name))]
    return [line["samples_seen"] for line in lines], [line[name] for line in lines]


def _finite(value: Any) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def metric_curve(log: Sequence[Mapping[str, Any]], key: str) -> Curve:
    """The metric with this key as it was measured during training."""
    log = comparable_lines(log)
    lines = [line for line in log if _finite(line.get("metrics", {}).get(key))]
    first = next((line for line in log if "baselines" in line), {})
    baseline = first.get("baselines", {}).get(key)
    seen, values = (
        [line["samples_seen"] for line in lines],
        [line["metrics"][key] for line in lines],
    )
    return Curve(
        seen, values, baseline if _finite(baseline) else None, first.get("evaluated_samples")
    )


def losses(log: Sequence[Mapping[str, Any]]) -> Image | None:
    """The two networks' losses."""
    curves = {
        network: _readings(log, f"{network}_loss") for network in ("discriminator", "generator")
    }
    if not curves["generator"][0]:
        return None
    figure = new_figure()
    axes = _axes(figure, "loss")
    for (network, (seen, values)), color in zip(
        curves.items(), (DISCRIMINATOR, GENERATOR), strict=True
    ):
        axes.plot(seen, values, color=color, linewidth=1.4, label=network)
    legend_above(axes)
    ends = ", ".join(
        f"the {network}'s ends at {values[-1]:.3g}" for network, (_, values) in curves.items()
    )
    return svg_image(
        figure,
        f"Losses against samples seen: {ends}.",
        "GAN losses are relative to the opponent. Flat losses do not mean good samples.",
    )


def balance(log: Sequence[Mapping[str, Any]], output: DiscriminatorOutput) -> Image | None:
    """D's balance, whose optimum is 1/2; None where its output has none."""
    seen, values = _readings(log, "balance")
    if not seen:
        return None
    figure = new_figure()
    axes = _axes(figure, output.balance_label)
    axes.plot(seen, values, color=DISCRIMINATOR, linewidth=1.4)
    axes.axhline(0.5, color="black", linewidth=1, linestyle="--", label="the optimum, 1/2")
    legend_above(axes)
    axes.set_ylim(min(0.4, *values), max(1.0, *values))
    return svg_image(
        figure,
        f"D's balance against samples seen: it ends at {values[-1]:.3f}; the theory's "
        "optimum is 0.5.",
        f"{output.balance_caption} At 0.5 D cannot tell real from generated. That is good "
        "only if D still works (see the classifier above).",
    )


def difference(log: Sequence[Mapping[str, Any]], output: DiscriminatorOutput) -> Image | None:
    """D's mean output on real samples less that on generated ones, for a method without
    a balance."""
    seen, real = _readings(log, "real_output")
    fake = _readings(log, "fake_output")[1]
    if not seen:
        return None
    figure = new_figure()
    axes = _axes(figure, output.difference)
    differences = output.sign * np.subtract(real, fake)
    axes.plot(seen, differences, color=DISCRIMINATOR, linewidth=1.4)
    return svg_image(
        figure,
        f"The difference of D's outputs on real and generated samples, {output.difference}, "
        f"against samples seen: it ends at {differences[-1]:.3g}.",
    )


def critic(log: Sequence[Mapping[str, Any]], table: MetricResult) -> Image | None:
    """A critic's estimate beside the primary metric, which it should follow (Arjovsky
    et al. 2017, section 4.2). None for another D, or a metric measured less than twice.

    Args:
        log: Of the training.
        table: The metric in the report.
    """
    seen, estimates = _readings(log, ESTIMATE)
    curve = metric_curve(log, table.key)
    if not seen or len(curve.values) < 2:
        return None
    figure = new_figure()
    axes = _axes(figure, "critic's estimate (scale unknown)")
    beside = axes.twinx()
    lines = axes.plot(seen, estimates, color=DISCRIMINATOR, linewidth=1.4)
    lines += beside.plot(
        curve.samples_seen,
        curve.values,
        color=GENERATED,
        marker="o",
        markersize=3,
        linewidth=1.4,
    )
    beside.set_ylabel(table.label, fontsize=9)
    beside.spines["top"].set_visible(False)
    scale_metric(beside, curve.values)
    legend_above(axes, lines, ["critic's estimate", table.label])
    return svg_image(
        figure,
        f"The critic's estimate and {table.label} against samples seen: the estimate goes from "
        f"{estimates[0]:.3g} to {estimates[-1]:.3g}, the metric from {number(curve.values[0])} to "
        f"{number(curve.values[-1])}.",
        "After its first steps the estimate should fall as the metric does. Its scale is unknown, "
        "and it is of the generator that is trained; the metric is of the EMA, if there is one.",
    )


def primary(log: Sequence[Mapping[str, Any]], table: MetricResult) -> Image | None:
    """The primary metric through the training, with its baseline there.

    Args:
        log: Of the training.
        table: The metric in the report, which was measured on more samples.
    """
    label, curve = table.label, metric_curve(log, table.key)
    if len(curve.values) < 2:
        return None
    figure = new_figure()
    axes, values = _axes(figure, label), curve.values
    axes.plot(
        curve.samples_seen,
        values,
        color=GENERATED,
        marker="o",
        markersize=3,
        linewidth=1.4,
        label="generated",
    )
    if curve.baseline is not None:
        baseline = f"real samples: {number(curve.baseline)} (baseline of this curve)"
        axes.axhline(curve.baseline, color="black", linewidth=1, linestyle="--", label=baseline)
    legend_above(axes)
    scale_metric(axes, [*values, curve.baseline] if curve.baseline is not None else values)
    ends = f"from {number(values[0])} to {number(values[-1])}; the best was {number(min(values))}"
    return svg_image(figure, f"{label} against samples seen, {ends}.", _baseline_note(curve, table))


def _baseline_note(curve: Curve, table: MetricResult) -> str:
    """How a curve was measured, and why its baseline is not the table's."""
    on = f"on {curve.n_samples:,} samples " if curve.n_samples else ""
    measured = f"Measured {on}{QUICK_PROTOCOL}"
    if curve.baseline is None or number(curve.baseline) == number(table.baseline):
        return measured
    n = table.n_samples
    of_table = " separately" if n is None else f" on {n:,} samples"
    if n is not None and n == curve.n_samples:
        of_table += " too, but other ones"
    return (
        f"{measured} Its baseline here is {number(curve.baseline)}; the table's, "
        f"{number(table.baseline)}, was measured{of_table}."
    )


def gradients(log: Sequence[Mapping[str, Any]]) -> Image | None:
    """The norms of both networks' gradients."""
    figure = new_figure()
    axes, shown = _axes(figure, "gradient norm"), []
    for name, label, color in (
        ("gradient_norm_d", "discriminator", DISCRIMINATOR),
        ("gradient_norm_g", "generator", GENERATOR),
    ):
        seen, values = _readings(log, name)
        if not seen:
            return None
        axes.plot(seen, values, color=color, linewidth=1.2, label=label)
        shown += values
    scale_metric(axes, shown)
    legend_above(axes)
    return svg_image(figure, "Norms of both networks' gradients against samples seen.")


def compared_runs(curves: Mapping[str, Curve], name: str) -> Image | None:
    """One metric of several runs against samples seen, with their baselines."""
    shown = {run: curve for run, curve in curves.items() if curve.values}
    if not shown:
        return None
    figure = new_figure(7.2, 3.6)
    axes = _axes(figure, name)
    lines = []
    for curve in shown.values():
        lines += axes.plot(
            curve.samples_seen, curve.values, marker="o", markersize=3, linewidth=1.3
        )
        if curve.baseline is not None:
            axes.axhline(curve.baseline, color=lines[-1].get_color(), linewidth=1, linestyle="--")
    baselines = [curve.baseline for curve in shown.values() if curve.baseline is not None]
    scale_metric(axes, [*(value for curve in shown.values() for value in curve.values), *baselines])
    legend_above(axes, lines, list(shown))  # by hand: a name may begin with _
    ends = "; ".join(f"{run} ends at {number(curve.values[-1])}" for run, curve in shown.items())
    caption = f"Measured {QUICK_PROTOCOL}"
    if baselines:
        caption += " Dashed: the baseline, the same metric of real samples. The table's is"
        caption += " measured on other numbers of samples."
    return svg_image(
        figure, f"{name} of each run against samples seen: {ends}.", caption, wide=True
    )


def _axes(figure: Figure, ylabel: str) -> Axes:
    axes = figure.subplots()
    axes.set_xlabel("samples seen")
    axes.set_ylabel(ylabel, fontsize=9)
    axes.xaxis.set_major_formatter(lambda value, _: short_number(value))
    axes.xaxis.set_major_locator(round_ticks(7))
    axes.spines[["top", "right"]].set_visible(False)
    return axes


def scale_metric(axes: Axes, values: Sequence[float]) -> None:
    """A logarithmic scale with plain numbers, where all values are above 0 and the
    greatest is many times the least. Over a shorter range it would hardly have a round
    number to show."""
    least, most = min(values), max(values)
    if least <= 0 or most < MIN_LOG_RATIO * least:
        return
    from matplotlib.ticker import LogLocator, NullFormatter

    axes.set_yscale("log")
    ticks = (1.0, 2.0, 5.0) if most < MIN_DECADES_RATIO * least else (1.0,)
    axes.yaxis.set_major_locator(LogLocator(subs=ticks, numticks=12))
    # Typesetting powers of ten would take longer than the rest of the chart.
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.yaxis.set_minor_formatter(NullFormatter())

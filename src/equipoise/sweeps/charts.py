"""The charts of a sweep's page."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from equipoise.metrics.registry import label_of
from equipoise.plotting.axes import GENERATED, REAL, legend_above, round_ticks
from equipoise.report.charts import Image, new_figure, scale_metric, svg_image
from equipoise.sweeps.result import SweepResult, Trial
from equipoise.sweeps.space import Dimension
from equipoise.utils.formatting import number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PRUNED = "#9aa5ae"
PANELS_PER_ROW = 4
MIN_IMPORTANT = 0.01


def finite(trials: Sequence[Trial]) -> list[Trial]:
    """The trials that were trained to their end, and have a score."""
    return [trial for trial in trials if trial.end == "complete" and math.isfinite(trial.score)]


def trials_chart(result: SweepResult) -> Image | None:
    """The score of each trial in turn, and the best so far."""
    whole, pruned = finite(result.trials), _pruned(result)
    if not whole:
        return None
    figure, name = new_figure(), label_of(result.config.metric)
    axes = _axes(figure.subplots(), "trial", name)
    axes.xaxis.set_major_locator(round_ticks(8))
    if pruned:
        x, y = [trial.number for trial in pruned], [trial.score for trial in pruned]
        axes.scatter(
            x, y, marker="x", s=16, color=PRUNED, linewidths=1, label="pruned, when it was"
        )
    numbers = [trial.number for trial in whole]
    axes.scatter(numbers, [trial.score for trial in whole], s=18, color=REAL, label="trial")
    best = list(accumulate((trial.score for trial in whole), min))
    axes.step(numbers, best, where="post", color=GENERATED, linewidth=1.6, label="best so far")
    _default_line(axes, result)
    scale_metric(axes, [trial.score for trial in [*whole, *pruned]])
    legend_above(axes)
    text = f"{name} of each trial: the default {number(result.default.score)}, the best "
    return svg_image(
        figure,
        f"{text}{number(result.best.score)}.",
        "Measured on the validation split. The best so far goes down by luck alone too, the more "
        "trials there are.",
    )


def curves_chart(result: SweepResult) -> Image | None:
    """The metric of every trial through its training."""
    shown = [trial for trial in result.trials if len(trial.curve) > 1]
    if not shown:
        return None
    figure, name = new_figure(), label_of(result.config.metric)
    axes = _axes(figure.subplots(), "fraction of the training", name)
    values = []
    for trial in sorted(shown, key=lambda trial: trial.end != "pruned"):
        points = [(x, y) for x, y in trial.curve if math.isfinite(y)]
        color, width, order, label = _style(trial, result)
        axes.plot(
            [x for x, _ in points],
            [y for _, y in points],
            color=color,
            linewidth=width,
            zorder=order,
            label=label,
        )
        values += [y for _, y in points]
    scale_metric(axes, values)
    handles, labels = axes.get_legend_handles_labels()
    named = dict(zip(labels, handles, strict=True))
    legend_above(axes, list(named.values()), list(named))
    return svg_image(
        figure,
        f"{name} of each trial against the fraction of its training.",
        "A trial is pruned if it is worse than the median of the others at the same fraction.",
    )


def _style(trial: Trial, result: SweepResult) -> tuple[str, float, int, str]:
    """Colour, width, order and label of a trial's curve."""
    if trial.number == result.best.number and not trial.is_default:
        return GENERATED, 2.0, 4, "best"
    if trial.is_default:
        return "black", 1.6, 3, "default"
    return (PRUNED, 0.7, 1, "pruned") if trial.end == "pruned" else (REAL, 0.9, 2, "others")


def seeds_chart(result: SweepResult) -> Image | None:
    """The metric of both settings on the test split, seed by seed."""
    compared = result.comparison
    if compared is None or not compared.best:
        return None
    figure, name = new_figure(), label_of(result.config.metric)
    axes = _axes(figure.subplots(), "", name)
    pairs = [
        (default.test, best.test)
        for default, best in zip(compared.default, compared.best, strict=True)
        if math.isfinite(default.test + best.test)
    ]
    if not pairs:
        return None
    for number_, pair in enumerate(pairs):
        axes.plot(
            [0, 1],
            pair,
            color=PRUNED,
            linewidth=1,
            zorder=1,
            label="one seed" if not number_ else "",
        )
    for place, color in enumerate(("black", GENERATED)):
        values = [pair[place] for pair in pairs]
        axes.scatter([place] * len(pairs), values, s=26, color=color, zorder=3)
        mean = sum(values) / len(values)
        axes.plot([place - 0.12, place + 0.12], [mean, mean], color=color, linewidth=2.5, zorder=2)
    baselines = [run.baseline for run in compared.default if math.isfinite(run.baseline)]
    if baselines:
        axes.axhline(
            sum(baselines) / len(baselines),
            color=REAL,
            linestyle="--",
            linewidth=1,
            label="real samples",
        )
    axes.set_xlim(-0.5, 1.5)
    axes.set_xticks([0, 1], ["default", "best of the search"])
    legend_above(axes)
    ends = "; ".join(f"{number(default)} and {number(best)}" for default, best in pairs)
    return svg_image(
        figure,
        f"{name} of the default and of the best setting, of each fresh seed: {ends}.",
        "On the test split. Each line is one seed, the bars are means.",
    )


def importance_chart(result: SweepResult, importances: dict[str, float]) -> Image | None:
    """How much of the differences between trials each field explains."""
    shown = [(name, value) for name, value in importances.items() if value >= MIN_IMPORTANT]
    if not shown:
        return None
    shown.sort(key=lambda pair: pair[1])
    figure = new_figure(height=0.9 + 0.27 * len(shown))
    axes = _axes(figure.subplots(), "importance (all fields: 1)", "")
    axes.barh([_plain(name) for name, _ in shown], [value for _, value in shown], color=REAL)
    listed = ", ".join(f"{_plain(name)} {value:.2f}" for name, value in reversed(shown))
    return svg_image(
        figure,
        f"Importance of each field: {listed}.",
        f"PED-ANOVA over {len(finite(result.trials))} whole trials (Watanabe et al. 2023). With so "
        "few it is rough.",
    )


def slices_chart(result: SweepResult) -> Image | None:
    """The score against each field's value."""
    whole, pruned, space = finite(result.trials), _pruned(result), result.config.space
    if len(whole) < 2:
        return None
    rows = math.ceil(len(space) / PANELS_PER_ROW)
    figure, name = new_figure(9.6, 2.3 * rows + 0.3), label_of(result.config.metric)
    panels = figure.subplots(rows, PANELS_PER_ROW, sharey=True, squeeze=False)
    scores = [trial.score for trial in [*whole, *pruned]]
    for place, axes in enumerate(panels.flat):
        if place >= len(space):
            axes.set_visible(False)
            continue
        _slice(_axes(axes, _plain(space[place].name), ""), result, space[place], whole, pruned)
    scale_metric(panels[0][0], scores)
    for row in panels:
        row[0].set_ylabel(name, fontsize=9)
    return svg_image(
        figure,
        f"{name} against the value of each field that was searched.",
        "Blue: whole trials; grey: pruned ones, when they were; black: the default; vermilion: "
        "the best.",
        wide=True,
    )


def _slice(
    axes: Axes,
    result: SweepResult,
    dimension: Dimension,
    whole: Sequence[Trial],
    pruned: Sequence[Trial],
) -> None:
    """The score against the value of one field."""
    places = {str(choice): place for place, choice in enumerate(dimension.choices)}

    def at(trial: Trial) -> Any:
        value = trial.values.get(dimension.name, result.config.default[dimension.name])
        return places.get(str(value)) if places else value

    best, default = result.best, result.default
    for trials, color, marker in (
        (pruned, PRUNED, "x"),
        ([trial for trial in whole if trial not in (best, default)], REAL, "o"),
        ([default] if default in whole else [], "black", "D"),
        ([best] if best in whole and not best.is_default else [], GENERATED, "o"),
    ):
        points = [(at(trial), trial.score) for trial in trials if at(trial) is not None]
        size = 34 if color == GENERATED else 14
        axes.scatter(
            [x for x, _ in points], [y for _, y in points], color=color, marker=marker, s=size
        )
    axes.tick_params(labelsize=7.5)
    if places:
        axes.set_xticks(list(places.values()), list(places))
        axes.set_xlim(-0.5, len(places) - 0.5)
    elif dimension.log:
        _logarithmic_x(axes)


def _logarithmic_x(axes: Axes) -> None:
    from matplotlib.ticker import LogLocator, NullFormatter

    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(numticks=5))
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.xaxis.set_minor_formatter(NullFormatter())


def _pruned(result: SweepResult) -> list[Trial]:
    return [
        trial for trial in result.trials if trial.end == "pruned" and math.isfinite(trial.score)
    ]


def _default_line(axes: Axes, result: SweepResult) -> None:
    score = result.default.score
    if math.isfinite(score):
        axes.axhline(score, color="black", linestyle="--", linewidth=1, label="default")


def _axes(axes: Axes, xlabel: str, ylabel: str) -> Axes:
    axes.set_xlabel(xlabel, fontsize=9)
    axes.set_ylabel(ylabel, fontsize=9)
    axes.spines[["top", "right"]].set_visible(False)
    return axes


def _plain(name: str) -> str:
    return name.replace("_", " ")

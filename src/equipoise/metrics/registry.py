"""The registry of metrics: what each one is called, and how it is computed.

A file of this package adds a metric: it describes it by a `Metric` and registers a
function that computes it with `@register`. The report, its page, `equipoise compare`
and, if the metric is cheap, the log then have it. Metrics whose protocol needs more
than samples beside real ones (training data, labels, a classifier) are described with
`describe` and computed by `metrics.evaluate`.

Another package adds metrics through an entry point in the group "equipoise.metrics". It
names a function that was registered this way. An entry point that cannot be loaded, or
a metric that fails, is left out with a warning.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from pkgutil import walk_packages
from typing import Any, Literal

from equipoise.errors import RequestError, first_line, nearest, warn
from equipoise.metrics.reference import Array, Kind, Reference
from equipoise.utils.plugins import import_failure, origin

Better = Literal["lower", "higher", "near"]
Values = float | Mapping[str, float]
Compute = Callable[[Any, Array], Values]
"""From a `Reference` of one of the measure's kinds, and prepared samples, to the value
of its metric, or to the values of several by key."""
ENTRY_POINTS = "equipoise.metrics"
PACKAGE = "equipoise.metrics"
KEY = re.compile(r"[a-z][a-z0-9_]*")
DETAIL = "/"
"""Between the key of a family of metrics and the detail, as in "digit_frequency/7"."""
MAX_MEANING = 100  # characters
# Measures for the second kind of data are for the first too.
BROADER: Mapping[Kind, Kind] = {"photos": "images", "rotations": "images"}


@dataclass(frozen=True)
class Metric:
    """What a metric is called and what it means."""

    key: str
    """Its name in files and programs: stable, lower case, words joined by "_"."""
    label: str
    """Its name for people, in the field's words.

    "{}" stands for the detail of a family, such as one metric a column.
    """
    better: Better
    """Which values are good; "near" the baseline of real samples."""
    meaning: str
    """What it measures, in one plain line."""
    in_table: bool = True
    """Whether tables show it; report.json always has it."""

    @property
    def is_family(self) -> bool:
        """Whether its keys carry a detail."""
        return "{}" in self.label

    def at(self, detail: object) -> str:
        """The key of a member of a family, such as "digit_frequency/7"."""
        return f"{self.key}{DETAIL}{detail}"


@dataclass(frozen=True)
class Measure:
    """How one metric, or several that share their computation, are computed."""

    metrics: tuple[Metric, ...]
    compute: Compute
    kinds: tuple[Kind, ...]
    """The kinds of data that it is for."""
    position: int
    """Its place in tables; the first of a kind of data is its primary metric."""
    max_samples: int | None
    """Samples it is computed from at most, the first ones; None for all."""
    while_training: bool
    """Whether it is cheap enough to be computed while training."""
    compared_with: Callable[[Any], str] | None
    """From the reference to what samples are compared with, in words."""

    @property
    def is_own(self) -> bool:
        """Whether it is one of Equipoise's own."""
        return self.compute.__module__.startswith(f"{PACKAGE}.")

    def used(self, n: int) -> int:
        """How many of n samples it is computed from."""
        return n if self.max_samples is None else min(n, self.max_samples)

    def reference_text(self, reference: Reference) -> str:
        """What samples are compared with, in words."""
        if self.compared_with is None:
            return reference.description
        return self.compared_with(reference)

    def __call__(self, reference: Reference, rows: Array) -> dict[str, float]:
        """The values by key, of prepared samples.

        One that belongs to another package and fails has no value, and warns.
        """
        rows = rows if self.max_samples is None else rows[: self.max_samples]
        rows = reference.rows_for(self.kinds, rows)
        if self.is_own:
            return self._by_key(self.compute(reference, rows))
        try:
            return self._by_key(self.compute(reference, rows))
        except Exception as error:  # whatever another package's code raises
            keys = [metric.key for metric in self.metrics if not metric.is_family]
            said = f"{type(error).__name__}: {first_line(error)}"
            warn(f"the metric {self.metrics[0].key!r} failed and is left out: {said}")
            return dict.fromkeys(keys, math.nan)

    def _by_key(self, found: Values) -> dict[str, float]:
        if not isinstance(found, Mapping):
            return {self.metrics[0].key: float(found)}
        known = {metric.key for metric in self.metrics}
        unknown = [key for key in found if family_of(key) not in known]
        if unknown:
            raise ValueError(f"it was registered without the metric {unknown[0]!r}")
        return {key: float(value) for key, value in found.items()}


_METRICS: dict[str, Metric] = {}
_MEASURES: list[Measure] = []
_BROKEN: dict[str, str] = {}


def describe(metric: Metric) -> Metric:
    """Make the name and the meaning of a metric known.

    Args:
        metric: The description. Describing the same one again changes nothing.

    Returns:
        The same.

    Raises:
        RequestError: The key, the label or the meaning has a wrong form, or the key is
            another metric's.
    """
    if not KEY.fullmatch(metric.key):
        raise RequestError(f"the metric key {metric.key!r}: must be lower case, a-z, 0-9 and _")
    if not metric.label or not metric.meaning or len(metric.meaning) > MAX_MEANING:
        raise RequestError(
            f"the metric {metric.key!r} needs a label and a meaning of at most "
            f"{MAX_MEANING} characters"
        )
    if _METRICS.setdefault(metric.key, metric) != metric:
        raise RequestError(f"the metric key {metric.key!r} is taken: choose another")
    return metric


def register(
    *metrics: Metric,
    kinds: Sequence[Kind],
    position: int = 100,
    max_samples: int | None = None,
    while_training: bool = False,
    compared_with: Callable[[Any], str] | None = None,
) -> Callable[[Compute], Compute]:
    """Register a function that computes metrics.

    Args:
        metrics: What it computes. Of a single metric that is no family it returns the
            value, else a mapping from keys to values. One without a value for this data
            is left out of the mapping.
        kinds: The kinds of data that it is for; the class of the reference that it gets
            follows from the kind (`metrics.reference`).
        position: Its place in tables, ascending. Equipoise's own may be below 1.
        max_samples: It gets at most this many samples.
        while_training: Whether it is also computed while training, dozens of times on
            2,000 samples.
        compared_with: From the reference to what samples are compared with, in words;
            by default the reference's own description.

    Returns:
        A decorator that leaves the function as it is.

    Raises:
        RequestError: As `describe`; or the position is below 1, which is that of the
            primary metrics.
    """

    def decorate(compute: Compute) -> Compute:
        own = compute.__module__.startswith(f"{PACKAGE}.")
        if not metrics or (position < 1 and not own):
            raise RequestError("a metric is registered with its description and a position above 0")
        for metric in metrics:
            describe(metric)
        _MEASURES.append(
            Measure(
                metrics,
                compute,
                tuple(kinds),
                position,
                max_samples,
                while_training,
                compared_with,
            )
        )
        return compute

    return decorate


def catalogue() -> Mapping[str, Metric]:
    """Every metric by its key, those of other packages among them."""
    _load()
    return _METRICS


def broken() -> Mapping[str, str]:
    """Why metrics of entry points cannot be used: a line each, by the entry point's
    name."""
    _load()
    return _BROKEN


def measures(kind: Kind, while_training: bool = False) -> list[Measure]:
    """The measures for this kind of data, the primary one first.

    Args:
        kind: The kind of data.
        while_training: Only those that are computed while training.
    """
    _load()
    return sorted(
        (
            measure
            for measure in _MEASURES
            if not {kind, BROADER.get(kind, kind)}.isdisjoint(measure.kinds)
            and (measure.while_training or not while_training)
        ),
        key=lambda measure: (measure.position, measure.metrics[0].key),
    )


def find(key: str) -> Metric:
    """The metric of this key; of "digit_frequency/7" the family.

    Raises:
        KeyError: There is none; the message has the nearest key.
    """
    known = catalogue()
    try:
        return known[family_of(key)]
    except KeyError:
        raise KeyError(f"no metric {key!r}: {nearest(key, known)}") from None


def family_of(key: str) -> str:
    """The key without its detail."""
    return key.partition(DETAIL)[0]


def detail_of(key: str) -> str:
    """The detail of a key, such as "7" of "digit_frequency/7"; empty without one."""
    return key.partition(DETAIL)[2]


def label_of(key: str) -> str:
    """The label of the metric of this key; for one that is not known here, as in the
    report of another version, a label made from the key."""
    metric = catalogue().get(family_of(key))
    if metric is None:
        return key.replace("_", " ").replace(DETAIL, " ")
    return metric.label.replace("{}", detail_of(key))


def meaning_of(key: str) -> str:
    """What the metric of this key measures; empty for one that is not known here."""
    metric = catalogue().get(family_of(key))
    return "" if metric is None else metric.meaning


def in_table(key: str) -> bool:
    """Whether tables show the metric of this key."""
    metric = catalogue().get(family_of(key))
    return metric is None or metric.in_table


@cache
def _load() -> None:
    """Import every file of this package, and every entry point."""
    for module in walk_packages(import_module(PACKAGE).__path__, f"{PACKAGE}."):
        import_module(module.name)
    for point in entry_points(group=ENTRY_POINTS):
        if wrong := _load_plugin(point):
            _BROKEN[point.name] = wrong
            warn(f"the metric {point.name!r} cannot be used: {wrong}")


def _load_plugin(point: EntryPoint) -> str:
    """Import what an entry point names.

    Returns:
        Why it cannot be used; empty where it can. Nothing of it stays registered then.
    """
    metrics, known = dict(_METRICS), list(_MEASURES)
    try:
        loaded = point.load()
    except (Exception, SystemExit) as error:  # whatever another package's import raises
        wrong = import_failure(point, error)
    else:
        if any(measure.compute is loaded for measure in _MEASURES):
            return ""
        wrong = f"{origin(point)} is not a function registered as a metric"
    _METRICS.clear()
    _METRICS.update(metrics)
    _MEASURES[:] = known
    return wrong

"""Figures: one number about samples, beside what real samples get, and how far it could
be off; and what each metric measures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

Better = Literal["lower", "higher", "near"]

WASSERSTEIN = "Wasserstein-1"
SLICED, PATCHES, FRECHET = "sliced Wasserstein", "patch distance", "Fréchet (digit features)"
PRECISION, RECALL, DENSITY, COVERAGE = "precision", "recall", "density", "coverage"
DIMENSION = "intrinsic dimension"
DIVERSITY = "mean distance between samples"
WITHIN, REVERSE_KL, SPREAD = "share within 3 sigma", "reverse KL", "spread inside modes"
MODES = "modes covered, of "
DIGIT_FREQUENCY = "share of "  # and the digit
CLASS_FREQUENCY = "share read as class "  # and the label
COLUMN = "Wasserstein-1 of column "  # and its name
WORST_COLUMN = "worst column's Wasserstein-1"  # in standard deviations
READ_ALIKE = "labels of real samples that can be read, classes alike"
DETAILS = (
    DIGIT_FREQUENCY,
    CLASS_FREQUENCY,
    COLUMN,
    READ_ALIKE,
)  # figures that are kept but would crowd a table
C2ST = "told from real ones by a classifier two-sample test"
COPIED = "copied from the training data"
AGREEMENT = "agrees with the label asked for"
CLASS_KL = "KL of the classes' shares"
FINITE = "samples that are numbers"
TRAINED_ON_FAKE = "real accuracy of a classifier trained on samples"
KERNEL = "kernel distance (digit features)"
RECOGNISED, RAREST = "recognised at 90%", "smallest class share"
FID, KID = "FID (Inception, torch-fidelity)", "KID (Inception, torch-fidelity)"


@dataclass(frozen=True)
class MetricResult:
    """One figure beside its floor, which is what as many real samples get.

    `better` says which way is good; a "near" figure should equal its floor.
    """

    name: str
    value: float
    floor: float
    better: Better
    protocol: str
    low: float | None = None
    """With `high`, the 95% interval of the value over other samples; None where it is
    not known."""
    high: float | None = None
    narrowed: float | None = None
    """What real samples get that were made 10% too narrow: a difference that matters.

    None where it was not measured.
    """


@dataclass(frozen=True)
class MetricInfo:
    """Which way of a metric is good, and what it measures, in one plain line."""

    better: Better
    meaning: str


_MEANINGS: Mapping[Better, Mapping[str, str]] = {
    "lower": {
        WASSERSTEIN: "how far values must move, on average, for equal distributions",
        "Kolmogorov-Smirnov": "largest gap between the two cumulative distribution functions",
        "energy distance": "difference in mean distances of pairs; 0 for equal distributions",
        SLICED: "Wasserstein-1 distance, averaged over 128 directions, in the data's units",
        WORST_COLUMN: "distance of the worst column, in standard deviations",
        "largest difference of correlations": "largest error of a correlation of two columns",
        "MMD^2, Gaussian kernel": "maximum mean discrepancy; about 0 for equal distributions",
        REVERSE_KL: "how unevenly samples are divided among the modes; 0 if evenly",
        FRECHET: "Fréchet distance, computed as FID is, on features of a digit classifier",
        KERNEL: "kernel distance, computed as KID is, on features of a digit classifier",
        PATCHES: "sliced Wasserstein distance of small image patches, averaged over scales",
        f"{PATCHES} at ": "the same for images scaled to this height",
        FID: "Fréchet Inception Distance",
        KID: "Kernel Inception Distance",
        C2ST: "accuracy of a newly trained real-vs-generated classifier (0.5 is best)",
        COPIED: "fraction of samples that are copies: nearer to training data than new real data",
        CLASS_KL: "KL divergence between the class frequencies of generated and real samples",
        COLUMN: "distance of this column's distributions, in standard deviations",
    },
    "higher": {
        PRECISION: "fraction of generated samples that lie among real ones (quality)",
        RECALL: "fraction of real samples that lie among generated ones (diversity)",
        COVERAGE: "fraction of real samples with a generated one close by (diversity)",
        MODES: "modes (clusters) of the real distribution that have generated samples",
        WITHIN: "fraction of generated samples within 3 standard deviations of a mode",
        RECOGNISED: "fraction of images that the digit classifier is at least 90% sure about",
        RAREST: "frequency of the digit that is generated least often",
        AGREEMENT: "fraction of samples that a classifier assigns to the class that was asked for",
        TRAINED_ON_FAKE: "accuracy on real data of a classifier trained on generated samples only",
        READ_ALIKE: "accuracy of a classifier on real samples, averaged over the classes",
        FINITE: "fraction of samples that are finite numbers",
    },
    "near": {
        "mean": "mean of the values",
        "standard deviation": "standard deviation of the values",
        DENSITY: "how densely real samples surround generated ones (1 for equal distributions)",
        DIVERSITY: "how far apart samples are on average (diversity)",
        DIMENSION: "number of directions in which neighbouring samples differ (TwoNN estimate)",
        SPREAD: "width of the generated modes over the true width (1 is best)",
        DIGIT_FREQUENCY: "frequency of this digit, read by the digit classifier",
        CLASS_FREQUENCY: "frequency of this class, read by a classifier",
    },
}
METRICS: Mapping[str, MetricInfo] = MappingProxyType(
    {
        name: MetricInfo(way, said)
        for way, names in _MEANINGS.items()
        for name, said in names.items()
    }
)
"""By name; one that ends with a space stands for a family, such as "share of " with a
digit."""


def metric_info(name: str) -> MetricInfo:
    """What the metric of this name is.

    Raises:
        KeyError: `METRICS` describes no such metric.
    """
    family = (known for known in METRICS if known.endswith(" ") and name.startswith(known))
    return METRICS[name if name in METRICS else max(family, key=len, default=name)]


def meaning(name: str) -> str:
    """The plain line about the metric of this name; empty for one that `METRICS` does
    not know, as in another version's report."""
    try:
        return metric_info(name).meaning
    except KeyError:
        return ""


def directions(*names: str) -> dict[str, Better]:
    """Which way is good of each of these metrics."""
    return {name: metric_info(name).better for name in names}

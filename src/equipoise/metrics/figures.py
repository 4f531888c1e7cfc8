"""Figures: one number about samples, beside what real samples get, and how far it could be off; and what each metric means."""

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
WITHIN, REVERSE_KL, SPREAD = "share within 3 sigma", "reverse KL", "spread inside modes"
MODES = "modes covered, of "
DIGIT_SHARE = "share of "  # and the digit
CLASS_SHARE = "share read as class "  # and the label
COLUMN = "Wasserstein-1 of column "  # and its name
READ_ALIKE = "labels of real samples that can be read, classes alike"
DETAILS = (DIGIT_SHARE, CLASS_SHARE, COLUMN, READ_ALIKE)  # figures that are kept but would crowd a table
DETECTIVE = "told from real ones by a detective"
COPIED = "copied from the training data"
AGREEMENT = "agrees with the label asked for"
CLASS_KL = "KL of the classes' shares"
FINITE = "samples that are numbers"
TRAINED_ON_FAKE = "real accuracy of a classifier trained on samples"
KERNEL = "kernel distance (digit features)"
RECOGNISED, RAREST = "recognised at 90%", "smallest class share"
FID, KID = "FID (Inception, torch-fidelity)", "KID (Inception, torch-fidelity)"


@dataclass(frozen=True)
class Figure:
    """One figure beside its floor, which is what as many real samples get. `better` says which way is good; a "near" figure should equal
    its floor."""

    name: str
    value: float
    floor: float
    better: Better
    protocol: str
    low: float | None = None
    """With `high`, the 95% interval of the value over other samples; None where it is not known."""
    high: float | None = None


@dataclass(frozen=True)
class Metric:
    """Which way of a metric is good, and what it measures, in one plain line."""

    better: Better
    meaning: str


METRICS: Mapping[str, Metric] = MappingProxyType(
    {
        WASSERSTEIN: Metric("lower", "how far values must move, on average, to turn one distribution into the other"),
        "Kolmogorov-Smirnov": Metric("lower", "largest gap between the two cumulative distribution functions"),
        "energy distance": Metric("lower", "difference between the distributions by mean distances of pairs; 0 if they are equal"),
        "mean": Metric("near", "mean of the values"),
        "standard deviation": Metric("near", "standard deviation of the values"),
        SLICED: Metric("lower", "Wasserstein-1 distance, averaged over 128 directions, in the data's units"),
        "worst column's Wasserstein-1": Metric("lower", "the column that fits worst: its distance in standard deviations"),
        "largest difference of correlations": Metric("lower", "the correlation of two columns that fits worst"),
        "MMD^2, Gaussian kernel": Metric("lower", "maximum mean discrepancy; about 0 (or just below) if the distributions are equal"),
        PRECISION: Metric("higher", "fraction of generated samples that lie among real ones (quality)"),
        RECALL: Metric("higher", "fraction of real samples that lie among generated ones (diversity)"),
        DENSITY: Metric("near", "how closely real samples surround the generated ones (1: as they surround each other)"),
        COVERAGE: Metric("higher", "fraction of real samples with a generated one close by (diversity)"),
        "mean distance between samples": Metric("near", "how far apart samples are on average (diversity)"),
        DIMENSION: Metric("near", "number of directions in which neighbouring samples differ (TwoNN estimate)"),
        MODES: Metric("higher", "modes (separate clusters) of the real distribution that have generated samples"),
        WITHIN: Metric("higher", "fraction of generated samples within 3 standard deviations of a mode"),
        REVERSE_KL: Metric("lower", "how unevenly samples are divided among the modes; 0 if as evenly as real ones"),
        SPREAD: Metric("near", "width of the generated modes over the true width (1 is best)"),
        FRECHET: Metric("lower", "Fréchet distance, computed as FID is, on features of a digit classifier"),
        KERNEL: Metric("lower", "kernel distance, computed as KID is, on features of a digit classifier"),
        RECOGNISED: Metric("higher", "fraction of images that the digit classifier is at least 90% sure about"),
        RAREST: Metric("higher", "frequency of the digit that is generated least often"),
        DIGIT_SHARE: Metric("near", "frequency of this digit, read by the digit classifier"),
        PATCHES: Metric("lower", "how much small image patches differ: sliced Wasserstein distance, at every scale"),
        f"{PATCHES} at ": Metric("lower", "the same distance for images scaled to this height"),
        FID: Metric("lower", "Fréchet Inception Distance"),
        KID: Metric("lower", "Kernel Inception Distance"),
        DETECTIVE: Metric("lower", "accuracy of a newly trained classifier that tells generated from real samples (0.5 is best)"),
        COPIED: Metric("lower", "fraction of samples closer to the training set than new real data would be (0: no copying)"),
        AGREEMENT: Metric("higher", "fraction of samples that a classifier assigns to the class that was asked for"),
        CLASS_KL: Metric("lower", "KL divergence between the class frequencies of generated and real samples"),
        TRAINED_ON_FAKE: Metric("higher", "accuracy on real data of a classifier trained on generated samples only"),
        CLASS_SHARE: Metric("near", "frequency of this class, read by a classifier"),
        READ_ALIKE: Metric("higher", "accuracy of a classifier on real samples, averaged over the classes"),
        COLUMN: Metric("lower", "distance of this column's distributions, in standard deviations"),
        FINITE: Metric("higher", "fraction of samples that are finite numbers"),
    }
)
"""By name; one that ends with a space stands for a family, such as "share of " with a digit."""


def metric(name: str) -> Metric:
    """What the metric of this name is.

    Raises:
        KeyError: `METRICS` describes no such metric.
    """
    family = (known for known in METRICS if known.endswith(" ") and name.startswith(known))
    return METRICS[name if name in METRICS else max(family, key=len, default=name)]


def meaning(name: str) -> str:
    """The plain line about the metric of this name; empty for one that `METRICS` does not describe, as in another version's report."""
    try:
        return metric(name).meaning
    except KeyError:
        return ""


def directions(*names: str) -> dict[str, Better]:
    """Which way is good of each of these metrics."""
    return {name: metric(name).better for name in names}

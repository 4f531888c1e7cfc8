"""Figures: one number about samples, beside what real samples get, and how far it could be off."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Better = Literal["lower", "higher", "near"]

WASSERSTEIN = "Wasserstein-1"
SLICED, PATCHES, FRECHET = "sliced Wasserstein", "patch distance", "Fréchet (digit features)"
PRECISION, RECALL, DENSITY, COVERAGE = "precision", "recall", "density", "coverage"
DIMENSION = "intrinsic dimension"
DIVERSITY = "mean distance between samples"
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
    narrowed: float | None = None
    """What real samples get that were made 10% too narrow: a difference that matters. None where
    it was not measured."""

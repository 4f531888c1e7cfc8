"""How much a report measures: enough to be sure after a long training, less after a
short one."""

from __future__ import annotations

from dataclasses import dataclass

STEPS = (
    "samples",
    "distances and coverage",
    "classifier two-sample test",
    "nearest training samples",
    "labels",
    "report page",
    "image of samples",
)
"""The steps of a report that take time, in order; not every report has all of them."""


@dataclass(frozen=True)
class Budget:
    """Samples that each part of a report takes, and steps of its classifiers."""

    univariate: int = 100_000
    """Numbers that are compared with an exact distribution."""
    samples: int = 10_000
    """Points, and images of digits, that are compared with held-out ones."""
    images: int = 2_000
    """Images without a feature extractor of their own."""
    baselines: int = 3
    """Draws of real points; a baseline is the mean over them."""
    two_sample: int = 10_000
    """Real points, and as many generated ones, for the classifier two-sample test; half
    of them to train it."""
    two_sample_images: int = 4_000
    copies: int = 1_000
    """Samples whose nearest real samples are looked for."""
    copies_among: int = 60_000
    """Training samples among which they are looked for."""
    labelled: int = 5_000
    """Samples that classifiers of labels are trained on."""
    image_steps: int = 240
    """Training steps of a classifier of images."""
    tree_cells: int = 1_500_000
    """Cells of tables, rows by columns, that boosted trees are trained on."""
    distance_cells: int = 2_000_000_000
    """Cells of tables that are compared for the nearest training rows: rows of one side
    by rows of the other by columns."""


FULL = Budget()
QUICK = Budget(
    univariate=20_000,
    samples=2_000,
    images=500,
    baselines=1,
    two_sample=4_000,  # a classifier of points takes as long for any number
    two_sample_images=1_500,
    copies=300,
    copies_among=20_000,
    labelled=1_500,
    image_steps=120,
    tree_cells=200_000,
    distance_cells=200_000_000,
)


def quiet(_: str) -> None:
    """Report no progress."""

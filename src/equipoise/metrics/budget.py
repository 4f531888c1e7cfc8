"""How much a report looks at: enough to be sure after a long training, less after a
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
"""What takes its time in a report, in this order; not every report has all of them."""


@dataclass(frozen=True)
class Budget:
    """Samples of each kind that a report takes, and what else decides how long it
    takes."""

    line: int = 100_000
    """Numbers that are compared with an exact distribution on the line."""
    samples: int = 10_000
    """Points, and images of digits, that are compared with held-out ones."""
    images: int = 2_000
    """Other images, whose features nobody knows."""
    floors: int = 3
    """Draws of real points that a floor is the mean of."""
    two_sample: int = 10_000
    """Real points, and as many generated ones, for the classifier two-sample test: half
    to learn from."""
    two_sample_images: int = 4_000
    copies: int = 1_000
    """Samples whose nearest training samples are looked for."""
    copies_among: int = 60_000
    """Training samples that they are looked for among."""
    labelled: int = 5_000
    """Samples that classifiers learn labels from."""
    image_steps: int = 240
    """Training steps of a classifier of images."""


FULL = Budget()
QUICK = Budget(
    line=20_000,
    samples=2_000,
    images=500,
    floors=1,
    two_sample=4_000,  # a classifier of points takes its steps, whatever their number
    two_sample_images=1_500,
    copies=300,
    copies_among=20_000,
    labelled=1_500,
    image_steps=120,
)


def quiet(_: str) -> None:
    """Tell nobody what is measured."""

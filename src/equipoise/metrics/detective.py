"""The detective: can a fresh small classifier learn to tell real from generated samples?

Lopez-Paz, Oquab: "Revisiting Classifier Two-Sample Tests", ICLR 2017 (C2ST). It learns on one half of both and is tested on the other,
which it never saw. 50% right means that this detective, with this many samples, cannot tell; it does not mean that nobody could.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from equipoise.metrics.classifier import PICTURE_STEPS, learn

Array = NDArray[np.float64]
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Detection:
    """The share of unseen samples, half of them real, that the detective places rightly, and the interval in which its true accuracy lies
    with 95% confidence (Clopper & Pearson 1934)."""

    accuracy: float
    low: float
    high: float
    n: int
    """Samples that it was tested on."""


def detect(real: Array, fake: Array, seed: int = 0, picture_steps: int = PICTURE_STEPS) -> Detection:
    """Train a detective on one half of real and fake, (N, D) or (N, C, H, W) each, and test it on the other."""
    from scipy.stats import binomtest

    n = min(len(real), len(fake))
    rng = np.random.default_rng(seed)
    parts = [part[rng.permutation(len(part))[:n]] for part in (real, fake)]
    half = n // 2
    detective = learn(np.concatenate([part[:half] for part in parts]), np.arange(2).repeat(half), 2, seed, picture_steps)
    right = sum(int((detective.read(part[half:]) == kind).sum()) for kind, part in enumerate(parts))
    tested = 2 * (n - half)
    interval = binomtest(right, tested).proportion_ci(CONFIDENCE)
    return Detection(right / tested, float(interval.low), float(interval.high), tested)

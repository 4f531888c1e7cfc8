"""The distance between samples that inversion and the search for neighbours use: the
root mean square difference of the values of samples as they are scaled for networks.

That is in standard deviations of the columns for points, in pixels for images (as the
recipe scales them: half of the range from black to white is 1, or one standard
deviation of all pixels), in scores and one-hot vectors for tables. It is of pixels, not
of features: of two images it says whether they are the same, not whether they show
alike things.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from equipoise.metrics.neighbours import distances_of
from equipoise.sampling.sampler import Sampler

PART_VALUES = 2**22  # that are scaled at once


def scaled_rows(sampler: Sampler, samples: NDArray[np.generic] | Tensor) -> Tensor:
    """Samples in the user's units, (N, *shape), as rows, (N, D) in float32."""
    raw = samples if isinstance(samples, Tensor) else torch.from_numpy(samples)
    step = max(PART_VALUES // max(sampler.schema.size, 1), 1)
    parts = [sampler.transform.scaled(part.to(sampler.device)) for part in torch.split(raw, step)]
    return torch.cat([part.flatten(1).cpu() for part in parts])


def rms_differences(a: Tensor, b: Tensor) -> Tensor:
    """Of each row of a, (N, D), and each of b, (M, D): (N, M), in float64."""
    found: Tensor = distances_of(a.double(), b.double()) / a.shape[1] ** 0.5
    return found

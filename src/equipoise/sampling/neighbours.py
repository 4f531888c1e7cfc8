"""The training samples that are nearest to given ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from equipoise.data.sources import Source
from equipoise.errors import RequestError
from equipoise.sampling.distance import PART_VALUES, rms_differences, scaled_rows
from equipoise.sampling.sampler import Sampler

if TYPE_CHECKING:
    from equipoise.data.schema import UserData

MAX_BYTES = 2**30  # of training samples that are searched


@dataclass(frozen=True, eq=False)
class Neighbours:
    """The nearest training samples of n samples."""

    samples: list[UserData]
    """For each its k nearest, the nearest first, of the user's type."""
    distances: NDArray[np.float64]
    """(n, k): root mean square differences, see `sampling.distance`."""
    searched: int
    """Training samples that were searched."""
    training_samples: int | None
    """How many there are; None where that is not known."""


def nearest_training(
    sampler: Sampler, samples: NDArray[np.generic], source: Source, k: int
) -> Neighbours:
    """The k nearest training samples of each sample, or all where there are fewer.

    Args:
        sampler: The generator that the data was scaled for.
        samples: In the user's units, (n, *shape).
        source: The training data.
        k: At least 1.

    Raises:
        RequestError: The data is a distribution, which has no training samples.
    """
    if source.distribution is not None:
        raise RequestError(
            f"nearest: {source.name} is drawn anew for every batch, so that it has no training "
            "samples to be near to"
        )
    schema = sampler.schema
    most = max(MAX_BYTES // max(schema.sample_bytes, 1), 1000)
    training = source.seen(min(source.training_rows or most, most), 0)
    queries = scaled_rows(sampler, samples)
    k = min(k, len(training))
    distances = torch.full((len(queries), 0), torch.inf, dtype=torch.float64)
    places = torch.zeros(len(queries), 0, dtype=torch.int64)
    step, start = max(PART_VALUES // max(schema.size, 1), 1), 0
    for part in torch.split(training, step):
        found = rms_differences(queries, scaled_rows(sampler, part))
        numbers = torch.arange(start, start + len(part)).expand(len(queries), -1)
        both = torch.cat([distances, found], 1)
        distances, at = both.topk(min(k, both.shape[1]), largest=False)
        places = torch.cat([places, numbers], 1).gather(1, at)
        start += len(part)
    matches = [schema.to_user(training[rows].double().numpy()) for rows in places]
    return Neighbours(matches, distances.numpy(), len(training), source.training_rows)

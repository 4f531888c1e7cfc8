"""Mode-specific normalisation: a number as the mode that it is of, and where it is
within that mode.

Xu, Skoularidou, Cuesta-Infante, Veeramachaneni: "Modeling Tabular data using
Conditional GAN", NeurIPS 2019, section 4.2.

    alpha = (c - mu_k) / (4 sigma_k),    beta = the one-hot vector of k

Each column of numbers has a variational Gaussian mixture of at most 10 modes. The mode
k of a number c is drawn at its posterior, weight_k N(c | mu_k, sigma_k^2) up to a
factor. A number more than 4 sigma_k away is cut off. A category is a one-hot vector.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from equipoise.data.schema import Schema
from equipoise.errors import RequestError
from equipoise.transforms.base import Transform
from equipoise.transforms.space import MAX_MODES, Span, mode_spans, starts_of
from equipoise.utils.one_hot import one_hot
from equipoise.utils.threads import single_threaded

SPREAD = 4.0  # standard deviations that alpha = 1 stands for
MIN_WEIGHT = 0.005  # of a mode; those below are left out
CONCENTRATION = 1e-3  # of the Dirichlet process: low, so that few modes have weight


class ModeNormalization(Transform):
    """Raw tables, (N, R), of numbers and codes to (N, E): alpha and the one-hot mode of
    each number, a one-hot vector of each category.

    Args:
        sizes: Of each raw column the number of codes; 0 for a number.
    """

    name = "mode_normalization"
    weights: Tensor
    """(C, 10), for C columns of numbers; 0 for modes that a column does not have."""
    means: Tensor
    """(C, 10), in the column's units."""
    deviations: Tensor
    """(C, 10): standard deviations."""

    def __init__(self, sizes: Sequence[int]) -> None:
        spans = mode_spans(sizes)
        super().__init__((sum(span.size for span in spans),))
        self.sizes: tuple[int, ...] = tuple(sizes)
        self.spans: tuple[Span, ...] = spans
        self.numbers: list[int] = [column for column, size in enumerate(sizes) if not size]
        for name in ("weights", "means", "deviations"):
            shape = (len(self.numbers), MAX_MODES)
            self.register_buffer(name, torch.ones(shape, dtype=torch.float64))

    @property
    def activations(self) -> tuple[Span, ...]:
        return self.spans

    @property
    def is_random(self) -> bool:
        return True

    @property
    def possible(self) -> Tensor:
        """Which of the encoded values are of categories or of modes that there are, or
        are alphas, (E,)."""
        modes = iter(self.weights > 0)
        parts = [
            next(modes) if span.activation == "mode" else torch.ones(span.size, dtype=torch.bool)
            for span in self.spans
        ]
        return torch.cat([part.cpu() for part in parts])

    def fit(self, parts: Iterable[Tensor], seed: int = 0) -> Self:
        """Fit the mixtures to raw tables, (n, R) in parts."""
        x = torch.cat([*parts]).double().numpy()
        for number, column in enumerate(self.numbers):
            weights, means, deviations = _modes(x[:, column], seed)
            self.weights[number] = torch.from_numpy(weights)
            self.means[number] = torch.from_numpy(means)
            self.deviations[number] = torch.from_numpy(deviations)
        return self

    def posteriors(self, values: Tensor) -> Tensor:
        """The probabilities of the modes, (N, C, 10), of numbers (N, C)."""
        u = (values[:, :, None] - self.means) / self.deviations
        return (self.weights.log() - self.deviations.log() - u.square() / 2).softmax(2)

    def encode(
        self, x: Tensor, y: Tensor | None = None, generator: torch.Generator | None = None
    ) -> tuple[Tensor, Tensor | None]:
        values = x[:, self.numbers].double()
        mode = self._drawn(values, generator)
        mean, deviation = (
            of.expand(len(x), -1, -1).gather(2, mode[:, :, None]).squeeze(2)
            for of in (self.means, self.deviations)
        )
        alpha = ((values - mean) / (SPREAD * deviation)).clamp(-1, 1).float()
        number, parts = 0, []
        for column, size in enumerate(self.sizes):
            if size:
                parts.append(one_hot(alpha, x[:, column].long().clamp(0, size - 1), size))
            else:
                parts += [alpha[:, number, None], one_hot(alpha, mode[:, number], MAX_MODES)]
                number += 1
        return torch.cat(parts, 1), y

    def _drawn(self, values: Tensor, generator: torch.Generator | None) -> Tensor:
        """A mode of each number, (N, C): drawn, or without a generator the most
        probable."""
        posteriors = self.posteriors(values)
        if generator is None:
            return posteriors.argmax(2)
        cumulative = posteriors.cumsum(2)
        # Above 0, so that a mode of posterior 0 is never drawn.
        drawn = 1 - torch.rand(
            *values.shape, 1, generator=generator, dtype=values.dtype, device=values.device
        )
        found: Tensor = (cumulative < drawn * cumulative[:, :, -1:]).sum(2)
        return found

    def decode(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        """Alphas and any scores of modes and categories to numbers and codes, (N, R),
        in float64."""
        starts = starts_of(self.spans)
        blocks = {
            kind: [
                x[:, start : start + span.size]
                for span, start in zip(self.spans, starts, strict=True)
                if span.activation == kind
            ]
            for kind in ("tanh", "mode", "one_hot")
        }
        numbers = iter(self._numbers(blocks["tanh"], blocks["mode"]))
        categories = iter(block.argmax(1).double() for block in blocks["one_hot"])
        return torch.stack([next(categories if size else numbers) for size in self.sizes], 1)

    def _numbers(self, alphas: list[Tensor], modes: list[Tensor]) -> list[Tensor]:
        """The numbers of each column, (N,), from its alphas, (N, 1), and the scores of
        its modes, (N, 10)."""
        found = []
        for number, (alpha, scores) in enumerate(zip(alphas, modes, strict=True)):
            known = self.weights[number] > 0
            mode = scores.masked_fill(~known, -torch.inf).argmax(1)
            inside = alpha[:, 0].double().clamp(-1, 1)
            mean, deviation = self.means[number][mode], self.deviations[number][mode]
            found.append(inside * SPREAD * deviation + mean)
        return found

    def config(self) -> dict[str, Any]:
        return {}

    @classmethod
    def from_config(cls, schema: Schema, shape: tuple[int, ...], stored: dict[str, Any]) -> Self:
        if schema.table is None:
            raise RequestError("its modes are of a table, and its schema of other data")
        return cls(schema.table.sizes)

    def check(self) -> None:
        finite = all(bool(of.isfinite().all()) for of in (self.means, self.deviations))
        positive = bool((self.deviations > 0).all()) and bool((self.weights >= 0).all())
        if not finite or not positive or not bool((self.weights.sum(1) > 0).all()):
            raise RequestError("its modes cannot be")


def _modes(values: NDArray[np.float64], seed: int) -> tuple[NDArray[np.float64], ...]:
    """The weights, means and standard deviations, (10,) each, of a column's modes.

    Modes of hardly any weight have 0, and those that there are sum to 1.
    """
    from sklearn.mixture import BayesianGaussianMixture

    values = np.resize(values, max(len(values), 2))  # the least that it takes
    centre, scale = values.mean(), values.std() or 1.0
    count = min(MAX_MODES, len(values))
    mixture = BayesianGaussianMixture(
        n_components=count,
        weight_concentration_prior_type="dirichlet_process",
        weight_concentration_prior=CONCENTRATION,
        random_state=seed % 2**32,
    )
    with single_threaded(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of modes that have not quite settled
        mixture.fit(((values - centre) / scale)[:, None])
    weights = np.where(mixture.weights_ > MIN_WEIGHT, mixture.weights_, 0.0)
    missing = MAX_MODES - count
    return (
        np.pad(weights / weights.sum(), (0, missing)),
        np.pad(mixture.means_[:, 0] * scale + centre, (0, missing), constant_values=centre),
        np.pad(np.sqrt(mixture.covariances_.ravel()) * scale, (0, missing), constant_values=scale),
    )

"""The end of a generator of tables: one distribution for each column, which starts as
that of a mixture's component.

For a component k of the latent classes (`transforms.latent_classes`), the generator's
output o, and noise z_j of its own for each column:

    category    draws from softmax(log p_j(. | k) + o_j)
    number      has the score Phi^-1(F(F_k^-1(Phi((L z)_j + o_j))))

F_k and F are the number's distributions in the component and in all rows, and L L^T the
correlations of numbers within components, so that with o = 0 samples are the mixture's.
A draw is a one-hot vector, and its gradient that of the softmax (the straight-through
estimator with Gumbel noise: Jang, Gu, Poole 2017; Maddison, Mnih, Teh 2017).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from equipoise.networks.conditioning import MixedPrecision
from equipoise.transforms.latent_classes import LatentClasses
from equipoise.transforms.space import Span, starts_of
from equipoise.transforms.table_encoding import BINS, MIN_TAIL

TEMPERATURE = 0.66  # of the softmax that gradients go through


class ColumnOutput(nn.Module):
    """Outputs (N, E) to samples (N, E): one-hot vectors and normal scores.

    Args:
        spans: Of a sample.
        components: K.
    """

    log_probabilities: Tensor
    """(K, S): log p_j(v | k) of all categories, one column after another."""
    within: Tensor
    """(K, C, BINS + 1): F_k of C numbers at the bins' ends."""
    overall: Tensor
    """(C, BINS + 1): F at the same."""
    factor: Tensor
    """(C, C): of the correlations of numbers within components."""

    def __init__(self, spans: Sequence[Span], components: int) -> None:
        super().__init__()
        self.spans: tuple[Span, ...] = tuple(spans)
        self.sizes: list[int] = [span.size for span in spans if span.activation == "one_hot"]
        numbers = len(spans) - len(self.sizes)
        self.components = components
        self.register_buffer("log_probabilities", torch.zeros(components, sum(self.sizes)))
        self.register_buffer("within", torch.zeros(components, numbers, BINS + 1))
        self.register_buffer("overall", torch.zeros(numbers, BINS + 1))
        self.register_buffer("factor", torch.zeros(numbers, numbers))
        self.register_buffer("_ends", torch.zeros(0), persistent=False)
        self.register_load_state_dict_post_hook(  # type: ignore[no-untyped-call]  # torch's own
            lambda module, _: module._join_ends()
        )
        self._numbers, self._categories = list[int](), list[int]()
        for span, start in zip(spans, starts_of(spans), strict=True):
            columns = range(start, start + span.size)
            (self._categories if span.activation == "one_hot" else self._numbers).extend(columns)
        order = [*self._categories, *self._numbers]
        self._back = sorted(range(len(order)), key=order.__getitem__)

    @property
    def noise(self) -> int:
        """Numbers of noise for a sample."""
        return sum(self.sizes)

    def start_from(self, mixture: LatentClasses) -> None:
        """Take over the distributions of a mixture's components."""
        blocks = torch.split(mixture.log_probabilities, mixture.values, 1)
        logs = [
            block
            for span, block in zip(mixture.spans, blocks, strict=True)
            if span.activation == "one_hot"
        ]
        if logs:
            self.log_probabilities.copy_(torch.cat(logs, 1))
        self.within.copy_(mixture.within)
        self.overall.copy_(mixture.levels)
        self.factor.copy_(mixture.factor)
        self._join_ends()

    def _join_ends(self) -> None:
        """All of F_k in one ascending row."""
        rows = self.within.double().flatten(0, 1)
        starts = 2.0 * torch.arange(len(rows), dtype=rows.dtype, device=rows.device)
        self._ends = (rows + starts[:, None]).flatten()

    def forward(self, out: Tensor, base: Tensor, noise: Tensor, component: Tensor) -> Tensor:
        """
        Args:
            out: (N, E).
            base: Normal noise of the numbers, (N, C).
            noise: Normal noise of the categories, (N, S).
            component: (N,).

        Returns:
            (N, E).
        """
        parts = [self._categories_of(out[:, self._categories], noise, component)]
        parts.append(self._scores_of(base @ self.factor.T + out[:, self._numbers], component))
        return torch.cat(parts, 1)[:, self._back]

    def _categories_of(self, out: Tensor, noise: Tensor, component: Tensor) -> Tensor:
        """One-hot draws, (N, S): the category with the largest logit plus Gumbel noise
        (the Gumbel-max trick)."""
        uniform = torch.special.ndtr(noise).clamp(MIN_TAIL, 1 - MIN_TAIL)
        logits = out + self.log_probabilities[component] - (-uniform.log()).log()
        drawn = []
        for of_column in torch.split(logits, self.sizes, 1) if self.sizes else ():
            soft = (of_column / TEMPERATURE).softmax(1)
            hard = torch.zeros_like(soft).scatter(1, of_column.argmax(1, keepdim=True), 1.0)
            drawn.append(hard + soft - soft.detach() if soft.requires_grad else hard)
        return torch.cat(drawn, 1) if drawn else out

    def _scores_of(self, h: Tensor, component: Tensor) -> Tensor:
        """Scores among all rows, (N, C), of scores in the component."""
        level = torch.special.ndtr(h).clamp(MIN_TAIL, 1 - MIN_TAIL)
        numbers = self.overall.shape[0]
        row = component[:, None] * numbers + torch.arange(numbers, device=h.device)
        # One search in all rows, each of which starts at twice its position.
        place = torch.searchsorted(self._ends, level.detach().double() + 2 * row, right=True)
        at = (place - 1 - row * (BINS + 1)).clamp(0, BINS - 1)
        start, end = (self.within.flatten()[row * (BINS + 1) + at + step] for step in (0, 1))
        column = row % numbers * (BINS + 1) + at
        low, high = (self.overall.flatten()[column + step] for step in (0, 1))
        inside = ((level - start) / (end - start).clamp(min=MIN_TAIL)).clamp(0, 1)
        overall = torch.lerp(low, high, inside).clamp(MIN_TAIL, 1 - MIN_TAIL)
        scores: Tensor = torch.special.ndtri(overall)
        return scores


class ColumnGenerator(MixedPrecision):
    """A generator of tables: any generator of points, with the end that tables need.

    Its output is multiplied by gains that start at 0, so that training starts from the
    mixture.

    Args:
        points: Maps latents (N, Z) and classes to (N, E).
        spans: Of a sample.
        components: Of the mixture.
        uniform: Whether latents are uniform on [-1, 1] instead of standard normal.
    """

    def __init__(
        self,
        points: nn.Module,
        spans: Sequence[Span],
        components: int,
        *,
        uniform: bool = False,
    ) -> None:
        super().__init__()
        self.points: nn.Module = points
        self.uniform: bool = uniform
        self.output: ColumnOutput = ColumnOutput(spans, components)
        self.gain: nn.Parameter = nn.Parameter(torch.zeros(sum(span.size for span in spans)))

    def forward(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        latents = z[:, : z.shape[1] - self.output.noise]
        noise = z[:, latents.shape[1] :]
        if isinstance(self.points, MixedPrecision):
            self.points.mixed = self.mixed
        out = self.points(latents, y) * self.gain
        numbers = torch.arange(self.output.overall.shape[0], device=z.device)
        base = latents[:, numbers % latents.shape[1]]
        if self.uniform:
            base = torch.special.ndtri(((base + 1) / 2).clamp(MIN_TAIL, 1 - MIN_TAIL))
        component = z.new_zeros(z.shape[0], dtype=torch.int64) if y is None else y
        samples: Tensor = self.output(out, base, noise, component % self.output.components)
        return samples

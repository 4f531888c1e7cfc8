"""CTGAN's generator: residual layers that keep all that came before, and an end for
each kind of column.

Xu, Skoularidou, Cuesta-Infante, Veeramachaneni: "Modeling Tabular data using
Conditional GAN", NeurIPS 2019, section 4.4.

    h_0 = z || cond
    h_i = h_{i-1} || ReLU(BN(FC(h_{i-1})))            i = 1, 2
    alpha = tanh(FC(h_2))
    mode, category = gumbel_softmax(FC(h_2)), temperature .2
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from equipoise.networks.conditioning import MixedPrecision
from equipoise.transforms.space import Span

TEMPERATURE = 0.2
HIDDEN_LAYERS = 2
MIN_TAIL = 1e-6  # of a probability, so that Gumbel noise is finite
MIN_PROBABILITY = 1e-30  # whose logarithm is taken


class ResidualLayers(nn.Module):
    """Vectors (N, inputs) to (N, outputs), through layers of `width` units, each beside
    its own input."""

    def __init__(self, inputs: int, width: int, outputs: int) -> None:
        super().__init__()
        self.layers: nn.ModuleList = nn.ModuleList(
            nn.Sequential(nn.Linear(inputs + i * width, width), nn.BatchNorm1d(width), nn.ReLU())
            for i in range(HIDDEN_LAYERS)
        )
        self.last: nn.Linear = nn.Linear(inputs + HIDDEN_LAYERS * width, outputs)

    def forward(self, h: Tensor) -> Tensor:
        for layer in self.layers:
            h = torch.cat([h, layer(h)], 1)
        out: Tensor = self.last(h)
        return out


class ModeGenerator(MixedPrecision):
    """Latents and conditions to tables as `transforms.mode_normalization` encodes them,
    with soft one-hot vectors.

    Args:
        layers: Maps latents (N, Z) and classes to (N, E).
        spans: Of a sample.
    """

    possible: Tensor
    """(E,): False for modes that a column does not have, which are never made."""

    def __init__(self, layers: MixedPrecision, spans: Sequence[Span]) -> None:
        super().__init__()
        self.layers: MixedPrecision = layers
        self.spans: tuple[Span, ...] = tuple(spans)
        self.noise: int = sum(span.size for span in spans if span.activation != "tanh")
        """Numbers of noise at the end of a latent."""
        size = sum(span.size for span in spans)
        self.register_buffer("possible", torch.ones(size, dtype=torch.bool))

    def forward(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        self.layers.mixed = self.mixed
        out = self.layers(z[:, : z.shape[1] - self.noise], y)
        out = out.masked_fill(~self.possible, -torch.inf)
        uniform = torch.special.ndtr(z[:, z.shape[1] - self.noise :])
        gumbel = -(-uniform.clamp(MIN_TAIL, 1 - MIN_TAIL).log()).log()
        parts, start = [], 0
        for span, block in zip(self.spans, out.split([s.size for s in self.spans], 1), strict=True):
            if span.activation == "tanh":
                parts.append(block.tanh())
            else:
                noisy = block + gumbel[:, start : start + span.size]
                parts.append((noisy / TEMPERATURE).softmax(1))
                start += span.size
        return torch.cat(parts, 1)


def condition_loss(categories: Tensor, asked: Tensor) -> Tensor:
    """-mean log x'[asked], (): the cross-entropy of the category that was asked for and
    the one that was made, in the column that was asked about.

    Args:
        categories: The one-hot vectors of all columns of categories, one after another,
            (N, S).
        asked: The entry that is to be 1, (N,).
    """
    probability = categories.gather(1, asked[:, None]).clamp(min=MIN_PROBABILITY)
    return -probability.log().mean()

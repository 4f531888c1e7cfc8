"""Class conditioning: a generator and a discriminator that wrap any network, and D's
auxiliary head."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from equipoise.utils.one_hot import one_hot

Conditioning = Literal["projection", "concatenation"]


class MixedPrecision(nn.Module):
    """Base class of networks that train in mixed precision where `mixed` is set: matrix
    products and convolutions in bfloat16, see `forward_mixed`."""

    mixed = False


class Generator(MixedPrecision):
    """Latents (N, Z) and, if `classes` > 0, classes (N,) to samples (N, *shape).

    The class is concatenated with the latent as a one-hot vector (Mirza & Osindero
    2014).

    Args:
        body: Maps (N, Z + classes) to (N, *shape).
        classes: Number of classes; 0 for an unconditional generator. A sample may have
            several at once, (N, P): then P entries of its vector are 1.
    """

    def __init__(self, body: nn.Module, classes: int = 0) -> None:
        super().__init__()
        self.body: nn.Module = body
        self.classes: int = classes

    def forward(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        if self.classes:
            assert y is not None, "a conditional generator needs classes"
            z = torch.cat([z, one_hot(z, y, self.classes)], 1)
        return forward_mixed(self.body, z, self.mixed and self.training)


class Discriminator(MixedPrecision):
    """Samples (N, *shape) and, if `classes` > 0, classes (N,) to logits (N,) and the
    outputs of an auxiliary head, (N, K), K = 0 without one.

    With h = trunk(x), (N, features):

        projection      D(x, y) = head(h) + <embedding(y), h>
        concatenation   D(x, y) = head(trunk(x || y))

    Projection is Miyato & Koyama 2018, eq. 5. Of P classes at once, (N, P), the
    embeddings are summed. Concatenation is Mirza & Osindero 2014: the class is a
    one-hot vector after a point's columns, or constant planes after an image's
    channels, so `trunk` takes `classes` more inputs.

    Args:
        trunk: Maps samples to features, (N, features).
        features: Number of features.
        classes: Number of classes; 0 for an unconditional discriminator.
        conditioning: How the class enters.
        auxiliary: A head on the features, (N, features) to (N, K), if any.
        scale: Factor on the logit.
    """

    def __init__(
        self,
        trunk: nn.Module,
        features: int,
        classes: int = 0,
        conditioning: Conditioning = "projection",
        auxiliary: nn.Module | None = None,
        scale: float = 1.0,
    ) -> None:
        super().__init__()
        self.scale = scale
        self.trunk: nn.Module = trunk
        self.classes: int = classes
        self.conditioning = conditioning
        self.auxiliary: nn.Module | None = auxiliary
        self.head: nn.Linear = nn.Linear(features, 1)
        if classes and conditioning == "projection":
            self.embedding: nn.Embedding = nn.Embedding(classes, features)
            nn.init.normal_(self.embedding.weight, std=features**-0.5)

    def forward(self, x: Tensor, y: Tensor | None = None) -> tuple[Tensor, Tensor]:
        assert y is not None or not self.classes, "a conditional discriminator needs classes"
        if y is not None and self.classes and self.conditioning == "concatenation":
            x = concatenate_classes(x, y, self.classes)
        h = forward_mixed(self.trunk, x, self.mixed and self.training)
        return self.logits(h, y), h.new_empty(
            len(h), 0
        ) if self.auxiliary is None else self.auxiliary(h)

    def logits(self, h: Tensor, y: Tensor | None) -> Tensor:
        """The logits, (N,), of features h, (N, features), and classes."""
        logits: Tensor = self.head(h).squeeze(1)
        if self.classes and self.conditioning == "projection":
            logits = logits + (self.embedded(y) * h).sum(1)
        return logits * self.scale

    def embedded(self, y: Tensor | None) -> Tensor:
        """The embeddings of classes (N,), or the sums of those of (N, P); (N,
        features)."""
        embeddings: Tensor = self.embedding(y)
        return embeddings.sum(1) if embeddings.dim() == 3 else embeddings

    def auxiliary_outputs(self, x: Tensor) -> Tensor:
        """The auxiliary head's outputs on samples, (N, K)."""
        assert self.auxiliary is not None, "this discriminator has no auxiliary head"
        outputs: Tensor = self.auxiliary(self.trunk(x))
        return outputs


def forward_mixed(body: nn.Module, x: Tensor, mixed: bool, *more: Tensor) -> Tensor:
    """body(x, *more) in float32; with `mixed`, products and convolutions in bfloat16.

    bfloat16 has float32's range, so losses need no scaling. Logits and losses are small
    differences and stay float32.
    """
    if not mixed:
        plain: Tensor = body(x, *more)
        return plain
    with torch.autocast(x.device.type, torch.bfloat16):
        out: Tensor = body(x, *more)
    return out.float()


def concatenate_classes(x: Tensor, y: Tensor, classes: int) -> Tensor:
    """Concatenate samples with one-hot classes: points (N, D) to (N, D + classes),
    images (N, C, H, W) to (N, C + classes, H, W)."""
    planes = one_hot(x, y, classes).reshape(x.shape[0], classes, *(1,) * (x.dim() - 2))
    return torch.cat([x, planes.expand(-1, -1, *x.shape[2:])], 1)

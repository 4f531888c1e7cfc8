"""Conditioning: a generator and a discriminator around any networks that take the
class beside latents and samples, and an auxiliary head of D."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

Conditioning = Literal["projection", "concatenation"]


class MixedPrecision(nn.Module):
    """Base class of networks that can take their products and convolutions in bfloat16
    while they train, where `mixed` is set: see `through`."""

    mixed = False


class Generator(MixedPrecision):
    """Latents (N, Z) and, if `classes` > 0, classes (N,) to samples (N, *shape).

    The class joins the latent as a one-hot vector (Mirza & Osindero 2014), so `body`
    takes Z + classes numbers. A sample may have P classes at once, (N, P): then P of
    them are one.
    """

    def __init__(self, body: nn.Module, classes: int = 0) -> None:
        super().__init__()
        self.body, self.classes = body, classes

    def forward(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        if self.classes:
            assert y is not None, "a conditional generator needs classes"
            z = torch.cat([z, one_hot(z, y, self.classes)], 1)
        return through(self.body, z, self.mixed and self.training)


class Discriminator(MixedPrecision):
    """Samples (N, *shape) and, if `classes` > 0, classes (N,) to logits (N,) and the
    outputs of an auxiliary head, (N, K), K = 0 without one.

    With h = trunk(x), (N, features), the logit is D(x, y) = head(h) + <embedding(y),
    h>, the projection discriminator (Miyato & Koyama 2018, eq. 5); or, by
    `concatenation`, D(x, y) = head(trunk(x || y)), the class a one-hot vector beside
    points and as many constant planes beside an image's channels (Mirza & Osindero
    2014), so `trunk` takes that many more. Of P classes at once, (N, P), the embeddings
    are summed. `auxiliary` takes h: heads share the trunk.
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
        self.trunk, self.classes, self.conditioning, self.auxiliary = (
            trunk,
            classes,
            conditioning,
            auxiliary,
        )
        self.head = nn.Linear(features, 1)
        if classes and conditioning == "projection":
            self.embedding = nn.Embedding(classes, features)
            nn.init.normal_(self.embedding.weight, std=features**-0.5)

    def forward(self, x: Tensor, y: Tensor | None = None) -> tuple[Tensor, Tensor]:
        assert y is not None or not self.classes, "a conditional discriminator needs classes"
        projects = self.conditioning == "projection"
        seen = x if y is None or not self.classes or projects else beside(x, y, self.classes)
        h = through(self.trunk, seen, self.mixed and self.training)
        logits: Tensor = self.head(h).squeeze(1)
        if self.classes and projects:
            logits = logits + (self.embedded(y) * h).sum(1)
        return logits * self.scale, h.new_empty(
            len(h), 0
        ) if self.auxiliary is None else self.auxiliary(h)

    def embedded(self, y: Tensor | None) -> Tensor:
        """The embeddings of classes (N,), or their sums over those of (N, P): (N,
        features)."""
        found: Tensor = self.embedding(y)
        return found.sum(1) if found.dim() == 3 else found

    def auxiliary_outputs(self, x: Tensor) -> Tensor:
        """The auxiliary head's outputs on samples, (N, K)."""
        assert self.auxiliary is not None, "this discriminator has no auxiliary head"
        outputs: Tensor = self.auxiliary(self.trunk(x))
        return outputs


def through(body: nn.Module, x: Tensor, mixed: bool) -> Tensor:
    """body(x), float32; with `mixed` its products and convolutions are taken in
    bfloat16, which has float32's range. Logits and losses, differences of near numbers,
    stay float32."""
    if not mixed:
        plain: Tensor = body(x)
        return plain
    with torch.autocast(x.device.type, torch.bfloat16):
        out: Tensor = body(x)
    return out.float()


def beside(x: Tensor, y: Tensor, classes: int) -> Tensor:
    """Samples with their classes: points (N, D) to (N, D + classes), images (N, C, H,
    W) to (N, C + classes, H, W)."""
    planes = one_hot(x, y, classes).reshape(x.shape[0], classes, *(1,) * (x.dim() - 2))
    return torch.cat([x, planes.expand(-1, -1, *x.shape[2:])], 1)


def one_hot(like: Tensor, y: Tensor, classes: int) -> Tensor:
    """Classes (N,) as one-hot vectors (N, classes) of another tensor's type, and (N, P)
    as vectors with P ones. torch's own looks at the classes' range first, for which a
    step would wait."""
    return like.new_zeros(y.shape[0], classes).scatter(1, y[:, None] if y.dim() == 1 else y, 1.0)

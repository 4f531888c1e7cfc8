"""The two players around any networks: a generator that can be told a class, a discriminator that can be asked about one."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import one_hot


class Generator(nn.Module):
    """Latents (N, Z) and, if `classes` > 0, classes (N,) to samples (N, *shape). The class joins the latent as a one-hot vector
    (Mirza & Osindero 2014), so `body` takes Z + classes numbers."""

    def __init__(self, body: nn.Module, classes: int = 0) -> None:
        super().__init__()
        self.body, self.classes = body, classes

    def forward(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        if self.classes:
            assert y is not None, "a conditional generator needs classes"
            z = torch.cat([z, one_hot(y, self.classes).to(z.dtype)], 1)
        out: Tensor = self.body(z)
        return out


class Discriminator(nn.Module):
    """Samples (N, *shape) and, if `classes` > 0, classes (N,) to logits (N,): D(x, y) = head(h) + <embedding(y), h> for h = trunk(x),
    (N, features):
    the projection discriminator (Miyato & Koyama 2018, eq. 5)."""

    def __init__(self, trunk: nn.Module, features: int, classes: int = 0) -> None:
        super().__init__()
        self.trunk, self.classes = trunk, classes
        self.head = nn.Linear(features, 1)
        if classes:
            self.embedding = nn.Embedding(classes, features)
            nn.init.normal_(self.embedding.weight, std=features**-0.5)

    def forward(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        h: Tensor = self.trunk(x)
        logits: Tensor = self.head(h).squeeze(1)
        if self.classes:
            assert y is not None, "a conditional discriminator needs classes"
            logits = logits + (self.embedding(y) * h).sum(1)
        return logits

"""The latents and classes of samples, in blocks.

Each block has random generators of its own, seeded by the seed and the block's number.
So any block can be drawn without those before it: sample i depends on the seed and on
i, not on how many samples are drawn, in which files, or by how many processes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
from numpy.typing import ArrayLike
from torch import Tensor

from equipoise.data.loading import Stream, seeded
from equipoise.data.schema import Schema
from equipoise.networks.latents import Prior
from equipoise.recipes.base import Recipe
from equipoise.transforms.chain import Chain

Codes = Mapping[str, ArrayLike]
Drawn = tuple[Tensor, Tensor | None]
"""Latents, (n, Z), and the networks' classes, (n,); None for networks without
classes."""
Label = int | tuple[int, ...] | None
"""The index of the label to draw, or of those to choose from at their training
frequencies; None for all."""
# Samples of a block, of up to 256 values each; fewer of larger ones.
BLOCK = 4096
# Generator passes for one block. The activations of a quarter fit into the cache.
PASSES_PER_BLOCK = 4


@dataclass(frozen=True)
class Draws:
    """Draws what a generator makes samples of."""

    prior: Prior
    recipe: Recipe
    schema: Schema
    transform: Chain

    @property
    def pass_size(self) -> int:
        """Samples of one pass of the generator."""
        return max(BLOCK * 256 // max(self.schema.size, 256) // PASSES_PER_BLOCK, 1)

    @property
    def block(self) -> int:
        """Samples of a block."""
        return self.pass_size * PASSES_PER_BLOCK

    def passes(
        self, n: int, seed: int, label: Label = None, codes: Codes | None = None, start: int = 0
    ) -> Iterator[Drawn]:
        """Latents and classes of samples `start` to n - 1, a generator pass at a time.

        Blocks are drawn in full, so that the first samples are the same for every n.
        Codes are checked immediately.

        Args:
            n: Number of samples.
            seed: Seed of latents and classes.
            label: Of which labels.
            codes: Values of the latent codes, see `Prior.with_codes`.
            start: The first one wanted, a multiple of `pass_size`.
        """
        code_values = self.prior.code_values(codes or {}, n)

        def blocks() -> Iterator[Drawn]:
            for first in range(start - start % self.block, n, self.block):
                z, y = next(self._draws(seed, first // self.block, label))
                z = z[: n - first]
                if code_values:
                    rows = slice(first, first + len(z))
                    z = self.prior.with_codes(z, {c: of[rows] for c, of in code_values.items()})
                skipped = max(start - first, 0)
                yield z[skipped:], None if y is None else y[skipped : len(z)]

        return (part for drawn in blocks() for part in self.split(*drawn))

    def candidates(
        self, number: int, seed: int, label: Label = None, codes: Codes | None = None
    ) -> Iterator[Drawn]:
        """Endless latents and classes from the generators of one block, a pass at a
        time, beginning with those that `passes` gives for the block.

        Args:
            number: Of the block.
            seed: As for `passes`, and so is the label.
            codes: A number for each code that is set.
        """
        for z, y in self._draws(seed, number, label):
            yield from self.split(self.prior.with_codes(z, codes) if codes else z, y)

    def split(self, z: Tensor, y: Tensor | None) -> Iterator[Drawn]:
        """Latents and classes in parts of one pass."""
        for first in range(0, len(z), self.pass_size):
            rows = slice(first, first + self.pass_size)
            yield z[rows], None if y is None else y[rows]

    def _draws(self, seed: int, number: int, label: Label) -> Iterator[Drawn]:
        """What the generators of one block give, a block at a time.

        Clusters have their own random stream, so that they do not depend on the number
        of labels drawn.
        """
        of_block = (number,) if number else ()
        latents = seeded(seed, Stream.SAMPLES, *of_block)
        labels = clusters = seeded(seed, Stream.CLASSES, *of_block)
        if self.recipe.conditional:
            clusters = seeded(seed, Stream.CLASS_CLUSTERS, *of_block)
        while True:
            z = self.prior.sample(self.block, latents)
            yield z, self.classes(self.block, label, labels, clusters)

    def classes(
        self, n: int, label: Label, labels: torch.Generator, clusters: torch.Generator
    ) -> Tensor | None:
        """Draw the networks' classes of n latents, (n,); None for networks without.

        Args:
            n: Number of latents.
            label: Of which labels.
            labels: The random generator for labels.
            clusters: The random generator for clusters.
        """
        drawn = self._labels(n, label, labels)
        return None if drawn is None else self.transform.classes(drawn, clusters)

    def _labels(self, n: int, label: Label, generator: torch.Generator) -> Tensor | None:
        """The indices of n labels, (n,); zeros for clusters without labels; None
        without both."""
        if not self.recipe.conditional:
            clustered = self.transform.clustering is not None
            return torch.zeros(n, dtype=torch.int64) if clustered else None
        if isinstance(label, int):
            return torch.full((n,), label)
        counts = torch.tensor(self.schema.class_counts, dtype=torch.float64)
        if label is not None:
            counts = torch.zeros_like(counts).index_copy_(
                0, torch.tensor(label), counts[list(label)].clamp(min=1)
            )
        return torch.multinomial(counts, n, replacement=True, generator=generator)

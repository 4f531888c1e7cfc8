"""The sampler: latents and labels drawn, and turned into the user's kind of data in
batches. generator.safetensors holds one."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor, nn

from equipoise.data.loading import Stream, seeded
from equipoise.data.schema import Schema
from equipoise.errors import EquipoiseError, RequestError
from equipoise.networks.latents import Prior
from equipoise.recipes.base import Recipe
from equipoise.sampling.batching import check_sample_memory, rebatch
from equipoise.sampling.evaluation_mode import evaluating, recomputing_statistics
from equipoise.sampling.module import SamplerModule
from equipoise.transforms.chain import Chain
from equipoise.transforms.scaling import same_kind

if TYPE_CHECKING:
    from equipoise.data.schema import UserData

Codes = Mapping[str, ArrayLike]
Drawn = tuple[Tensor, Tensor | None]
EVALUATION_SEED = 1_000_003  # of samples for metrics: always the same ones of a generator
RECALIBRATION_BATCHES, RECALIBRATION_SIZE = 32, 64  # of samples for BatchNorm statistics
# Points whose latents are drawn at once; of images as many as have the same number of
# values as so many rows of 256.
BLOCK = 4096
PASSES_PER_BLOCK = 4  # of the generator, for one block: what a quarter takes stays in the cache


@dataclass
class Sampler:
    """Draws from a generator, which is in evaluation mode for each draw and in its
    earlier mode after."""

    generator: nn.Module
    prior: Prior
    recipe: Recipe
    schema: Schema
    transform: Chain
    device: torch.device
    samples_seen: int = 0
    encoder: nn.Module | None = None
    """The discriminator with its auxiliary head, of a generator that has codes."""
    module: SamplerModule = field(init=False, repr=False)
    """From latents and classes to the user's units."""

    def __post_init__(self) -> None:
        self.module = SamplerModule(self.generator, self.transform)

    def sample(
        self, n: int, seed: int, label: int | None = None, codes: Codes | None = None
    ) -> UserData:
        """Samples of the user's kind. Beside the result, memory is taken for one pass
        of the generator at a time.

        Args:
            n: How many.
            seed: Of latents and classes. The first samples are the same for every n.
            label: The position of the one class to draw, of a conditional generator;
                None draws classes at their training frequencies.
            codes: Values of the latent codes, see `Prior.with_codes`.

        Returns:
            An array, tensor or DataFrame of the user's type and layout.

        Raises:
            RequestError: Where memory cannot hold the samples, or a code is not known.
        """
        check_sample_memory(n, self.schema.sample_bytes)
        return self.schema.collect(n, self._generate(n, seed, label, codes))

    def batches(
        self, size: int, n: int, seed: int, label: int | None = None, codes: Codes | None = None
    ) -> Iterator[UserData]:
        """As `sample`, in batches of `size`; the last batch has the rest."""
        parts = self._generate(n, seed, label, codes)
        return (self.schema.to_user(batch) for batch in rebatch(parts, size, np.concatenate))

    def values(
        self, n: int, seed: int, label: int | None = None, codes: Codes | None = None
    ) -> NDArray[np.float64]:
        """Samples in the user's units, (n, *shape), rounded to the user's types, in
        float64. Arguments as for `sample`."""
        check_sample_memory(n, self.schema.size * np.dtype(np.float64).itemsize)
        return self._collect(n, self._generate(n, seed, label, codes))

    def latents(
        self, n: int, seed: int, label: int | None = None, codes: Codes | None = None
    ) -> Drawn:
        """Latents, (n, Z), and the networks' classes, (n,), or None for networks
        without classes. The first ones are the same for every n."""
        unused = torch.Generator()
        z, y = (
            [torch.empty(0, self.prior.width), *self._latents(n, seed, codes)],
            [*self._classes_of(n, seed, label)],
        )
        return torch.cat(z), torch.cat(y) if y else self._classes(0, label, unused, unused)

    def decode_latents(self, z: Tensor, y: Tensor | None) -> NDArray[np.float64]:
        """The samples of given latents, (n, Z), and classes, as `values`."""
        return self._collect(
            len(z), (self._pass(*part) for part in self._passes([z], None if y is None else [y]))
        )

    def _collect(self, n: int, parts: Iterable[NDArray[np.float64]]) -> NDArray[np.float64]:
        drawn, start = np.empty((n, *self.schema.shape)), 0
        for part in parts:
            drawn[start : start + len(part)] = part
            start += len(part)
        return drawn

    def _generate(
        self, n: int, seed: int, label: int | None, codes: Codes | None
    ) -> Iterator[NDArray[np.float64]]:
        """As `values`, one pass of the generator at a time; codes are checked at
        once."""
        classes = self._classes_of(n, seed, label)
        return (self._pass(z, y) for z, y in self._passes(self._latents(n, seed, codes), classes))

    def _latents(self, n: int, seed: int, codes: Codes | None) -> Iterator[Tensor]:
        """Latents in blocks. All of the last block are drawn, so that the first ones
        are the same for every n."""
        block, generator, given = (
            self._block,
            seeded(seed, Stream.SAMPLES),
            self.prior.code_values(codes or {}, n),
        )

        def drawn(start: int) -> Tensor:
            z = self.prior.sample(block, generator)[: n - start]
            return (
                self.prior.with_codes(
                    z, {name: values[start : start + block] for name, values in given.items()}
                )
                if given
                else z
            )

        return (drawn(start) for start in range(0, n, block))

    def _classes_of(self, n: int, seed: int, label: int | None) -> Iterator[Tensor]:
        """The networks' classes of n latents in blocks; nothing for networks without
        classes. All of the last block are drawn, so that the first ones are the same
        for every n. Clusters have a random stream of their own, so that none waits for
        the last label."""
        if not (self.recipe.conditional or self.transform.clustering is not None):
            return
        labels = seeded(seed, Stream.CLASSES)
        clusters = seeded(seed, Stream.CLASS_CLUSTERS) if self.recipe.conditional else labels
        for start in range(0, n, BLOCK):
            found = self._classes(BLOCK, label, labels, clusters)
            assert found is not None, "networks that are conditioned on classes have some"
            yield found[: n - start]

    def _passes(self, z: Iterable[Tensor], y: Iterable[Tensor] | None) -> Iterator[Drawn]:
        """Latents and classes in parts of one pass of the generator each."""
        size = max(self._block // PASSES_PER_BLOCK, 1)
        classes = iter(()) if y is None else rebatch(y, size, torch.cat)
        return ((part, next(classes, None)) for part in rebatch(z, size, torch.cat))

    def _pass(self, z: Tensor, y: Tensor | None) -> NDArray[np.float64]:
        with evaluating(self.generator), torch.no_grad():
            made = self.module(z.to(self.device), None if y is None else y.to(self.device))
        values: NDArray[np.float64] = made.cpu().numpy()
        return values

    def check_kind(self, shape: tuple[int, ...], limits: tuple[float, float] | None) -> None:
        """Raises:
        RequestError: Where data of this shape, or images of this range, are not of
            the generator's kind."""
        if shape != self.schema.shape:
            raise RequestError(
                f"data has samples of shape {shape}, the generator makes {self.schema.shape}: "
                "give data of that shape"
            )
        own = self.transform.limits
        if limits is not None and own is not None and not same_kind(own, limits):
            raise RequestError(
                f"data has images of another range of values than the generator's {own[0]:g} to "
                f"{own[1]:g}: give data of the same kind"
            )

    def position(self, label: Hashable) -> int:
        """The position of a label among the classes that the generator learned.

        Raises:
            RequestError: For a label that it did not learn.
        """
        if not self.recipe.conditional:
            instead = (
                "train with conditional"
                if self.recipe.takes_labels
                else f"{self.recipe.name} has codes instead"
            )
            raise RequestError(
                f"label {label!r} was asked for, but this generator did not learn classes: "
                f"{instead}"
            )
        return self.schema.class_index(label)

    def encode(self, raw: Tensor) -> dict[str, NDArray[Any]]:
        """Predict the latent codes of samples.

        Args:
            raw: (N, *shape), in the user's units.

        Returns:
            Categorical codes c0, ... as indices, (N,), and continuous codes u0, ... as
            the posterior's means, (N,).

        Raises:
            RequestError: For a generator without codes.
            EquipoiseError: Where the encoder's file is missing or damaged.
        """
        if not self.prior.codes:
            raise RequestError(
                f"{self.recipe.name} has no codes to encode samples to: train the recipe 'infogan'"
            )
        if self.encoder is None:
            raise EquipoiseError(
                "encoder.safetensors is missing, damaged or of another moment than the "
                "generator: resume the run, which writes both"
            )
        parts = []
        with evaluating(self.encoder), torch.no_grad():
            for start in range(0, len(raw), self._block):
                x = self.transform.scaled(raw[start : start + self._block]).to(self.device)
                parts.append(self.encoder.auxiliary_outputs(x).double().cpu())  # type: ignore[operator]  # a Discriminator
        answers = torch.cat(parts) if parts else torch.empty(0, self.prior.width)
        first = self.prior.dim
        read = {
            name: answers[:, at.start - first : at.stop - first]
            for name, at in self.prior.codes.items()
        }
        return {
            name: (part.argmax(1) if name.startswith("c") else part.squeeze(1)).numpy()
            for name, part in read.items()
        }

    def recalibrate_batchnorm(self, seed: int, real: Tensor | None = None) -> None:
        """Recompute BatchNorm statistics, which depend on weights and seed alone: of an
        EMA generator, whose statistics are still those of G, and of the encoder, which
        sees mostly generated samples while training.

        Args:
            seed: Of latents, classes and noise.
            real: Raw samples, (N, *shape), for the encoder; None leaves it.
        """
        latents, classes = seeded(seed, Stream.BATCHNORM, 0), seeded(seed, Stream.BATCHNORM, 1)
        with recomputing_statistics(self.generator) as there_are:
            for _ in range(RECALIBRATION_BATCHES if there_are else 0):
                z, y = (
                    self.prior.sample(RECALIBRATION_SIZE, latents),
                    self._classes(RECALIBRATION_SIZE, None, classes, classes),
                )
                self.generator(z.to(self.device), y)
        if self.encoder is not None and real is not None:
            noise = seeded(seed, Stream.BATCHNORM, 2, device=self.device)
            with recomputing_statistics(self.encoder):
                for start in range(0, len(real), RECALIBRATION_SIZE):
                    part = real[start : start + RECALIBRATION_SIZE].to(self.device)
                    self.encoder(self.transform.encode(part, None, noise)[0])

    @property
    def _block(self) -> int:
        return max(BLOCK * 256 // max(self.schema.size, 256), 1)

    def labels(self, classes: Tensor | None) -> Tensor | None:
        """The labels in the networks' classes, (N,); None for a generator that learned
        no labels."""
        if classes is None or not self.recipe.conditional:
            return None
        return self.transform.labels(classes)

    def _classes(
        self, n: int, label: int | None, labels: torch.Generator, clusters: torch.Generator
    ) -> Tensor | None:
        """The networks' classes of n latents, (n,), whose labels and clusters come from
        a generator each; None for networks without classes."""
        found = self._labels(n, label, labels)
        return None if found is None else self.transform.classes(found, clusters).to(self.device)

    def _labels(self, n: int, label: int | None, generator: torch.Generator) -> Tensor | None:
        """The positions of n labels, (n,), zeros where there are clusters without
        labels; None without either."""
        if not self.recipe.conditional:
            clustered = self.transform.clustering is not None
            return torch.zeros(n, dtype=torch.int64) if clustered else None
        if label is not None:
            return torch.full((n,), label)
        counts = torch.tensor(self.schema.class_counts, dtype=torch.float64)
        # multinomial refuses to draw 0 samples.
        return torch.multinomial(counts, max(n, 1), replacement=True, generator=generator)[:n]

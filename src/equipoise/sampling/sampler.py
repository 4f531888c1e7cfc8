"""The sampler: a trained generator with all that turns latents into the user's kind of
data. What generator.safetensors holds."""

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
from equipoise.sampling.batching import refuse_beyond_memory, regrouped
from equipoise.sampling.evaluation_mode import evaluating, taking_statistics
from equipoise.sampling.module import SamplerModule
from equipoise.transforms.chain import Chain
from equipoise.transforms.scaling import same_kind

if TYPE_CHECKING:
    from equipoise.data.schema import UserData

Codes = Mapping[str, ArrayLike]
Drawn = tuple[Tensor, Tensor | None]
EVALUATION_SEED = 1_000_003  # of the samples that are judged: always the same ones of a generator
RECALIBRATION_BATCHES, RECALIBRATION_SIZE = 32, 64  # that BatchNorm statistics are taken from
# Points whose latents are drawn at once; of images as many as have the same number of
# values as so many rows of 256.
BLOCK = 4096
PASSES = 4  # of the generator, for one block: what a quarter takes stays in the cache


@dataclass
class Sampler:
    """Draws from a generator.

    The generator is put into evaluation mode for each draw and back after.
    """

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
        """n samples as what the user gave. Beside the result, memory is taken for
        a pass of the generator at a time; other arguments as for `values`."""
        refuse_beyond_memory(n, self.schema.sample_bytes)
        return self.schema.collect(n, self._made(n, seed, label, codes))

    def batches(
        self, size: int, n: int, seed: int, label: int | None = None, codes: Codes | None = None
    ) -> Iterator[UserData]:
        """What `sample` returns, in batches of `size`, the last one of what is left."""
        parts = self._made(n, seed, label, codes)
        return (self.schema.to_user(batch) for batch in regrouped(parts, size, np.concatenate))

    def values(
        self, n: int, seed: int, label: int | None = None, codes: Codes | None = None
    ) -> NDArray[np.float64]:
        """n samples in the user's units, (n, *shape), rounded to the user's type, as
        float64.

        For a conditional generator `label` is the position of the one class to draw;
        None draws classes at their training frequencies. `codes` sets codes of the
        latents, see `Prior.with_codes`.
        """
        refuse_beyond_memory(n, self.schema.size * np.dtype(np.float64).itemsize)
        return self._filled(n, self._made(n, seed, label, codes))

    def latents(
        self, n: int, seed: int, label: int | None = None, codes: Codes | None = None
    ) -> Drawn:
        """n latents, (n, Z), and the networks' classes, (n,), or None: the first ones
        are the same for every n."""
        unused = torch.Generator()
        z, y = (
            [torch.empty(0, self.prior.width), *self._latents(n, seed, codes)],
            [*self._classes_of(n, seed, label)],
        )
        return torch.cat(z), torch.cat(y) if y else self._classes(0, label, unused, unused)

    def of_latents(self, z: Tensor, y: Tensor | None) -> NDArray[np.float64]:
        """What the generator makes of latents and classes, as `values`."""
        return self._filled(
            len(z), (self._pass(*part) for part in self._passes([z], None if y is None else [y]))
        )

    def _filled(self, n: int, parts: Iterable[NDArray[np.float64]]) -> NDArray[np.float64]:
        drawn, start = np.empty((n, *self.schema.shape)), 0
        for part in parts:
            drawn[start : start + len(part)] = part
            start += len(part)
        return drawn

    def _made(
        self, n: int, seed: int, label: int | None, codes: Codes | None
    ) -> Iterator[NDArray[np.float64]]:
        """As `values`, a pass of the generator at a time.
        What is wrong with the codes is told at once."""
        classes = self._classes_of(n, seed, label)
        return (self._pass(z, y) for z, y in self._passes(self._latents(n, seed, codes), classes))

    def _latents(self, n: int, seed: int, codes: Codes | None) -> Iterator[Tensor]:
        """n latents, a block at a time; all of the last block are
        drawn, so that the first ones are the same for every n."""
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
        """The networks' classes of n latents, a block at a time; nothing for a
        generator that knows none. All of the last block are drawn, so that the first
        ones are the same for every n, and modes come from a stream of their own, so
        that none waits for the last label."""
        if not (self.recipe.conditional or self.transform.clustering is not None):
            return
        labels = seeded(seed, Stream.CLASSES)
        clusters = seeded(seed, Stream.CLASS_CLUSTERS) if self.recipe.conditional else labels
        for start in range(0, n, BLOCK):
            found = self._classes(BLOCK, label, labels, clusters)
            assert found is not None, "networks that are conditioned on classes have some"
            yield found[: n - start]

    def _passes(self, z: Iterable[Tensor], y: Iterable[Tensor] | None) -> Iterator[Drawn]:
        """Latents and classes in the parts that the generator makes at once."""
        size = max(self._block // PASSES, 1)
        classes = iter(()) if y is None else regrouped(y, size, torch.cat)
        return ((part, next(classes, None)) for part in regrouped(z, size, torch.cat))

    def _pass(self, z: Tensor, y: Tensor | None) -> NDArray[np.float64]:
        with evaluating(self.generator), torch.no_grad():
            made = self.module(z.to(self.device), None if y is None else y.to(self.device))
        values: NDArray[np.float64] = made.cpu().numpy()
        return values

    def check_kind(self, shape: tuple[int, ...], limits: tuple[float, float] | None) -> None:
        """Raises:
        RequestError: Where samples of this shape, and images of this range, are not
            of the generator's kind."""
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
        """The position of a label among the classes that were learned.

        Raises:
            RequestError: For one that was not.
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
        """The codes that the encoder reads in raw samples, (N, *shape): c0, ... as
        entries' numbers, (N,), u0, ... as the means of the posterior, (N,).

        Raises:
            RequestError: For a generator without codes.
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
                parts.append(self.encoder.answers(x).double().cpu())  # type: ignore[operator]  # a Discriminator
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
        """Take BatchNorm statistics anew: of an averaged generator, since those of the
        generator that it averages are not its own, and of the encoder on `real` raw
        samples, since while training it sees more generated ones. They depend on
        weights and seed alone."""
        latents, classes = seeded(seed, Stream.BATCHNORM, 0), seeded(seed, Stream.BATCHNORM, 1)
        with taking_statistics(self.generator) as there_are:
            for _ in range(RECALIBRATION_BATCHES if there_are else 0):
                z, y = (
                    self.prior.sample(RECALIBRATION_SIZE, latents),
                    self._classes(RECALIBRATION_SIZE, None, classes, classes),
                )
                self.generator(z.to(self.device), y)
        if self.encoder is not None and real is not None:
            noise = seeded(seed, Stream.BATCHNORM, 2)
            with taking_statistics(self.encoder):
                for start in range(0, len(real), RECALIBRATION_SIZE):
                    part = real[start : start + RECALIBRATION_SIZE]
                    x, _ = self.transform.encode(part, None, noise)
                    self.encoder(x.to(self.device))

    @property
    def _block(self) -> int:
        return max(BLOCK * 256 // max(self.schema.size, 256), 1)

    def labels(self, classes: Tensor | None) -> Tensor | None:
        """The labels, (N,), that the networks' classes, (N,), stand for; None for a
        generator that learned none."""
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

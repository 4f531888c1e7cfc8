"""The sampler: draws latents and labels, and generates samples of the user's type in
batches. generator.safetensors stores one."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor, nn

from equipoise.data.alpha import as_measured
from equipoise.data.loading import Stream, seeded
from equipoise.data.schema import Schema
from equipoise.errors import EquipoiseError, RequestError
from equipoise.networks.latents import Prior
from equipoise.recipes.base import Recipe
from equipoise.sampling.batching import check_sample_memory, rebatch
from equipoise.sampling.conditions import Conditions
from equipoise.sampling.evaluation_mode import evaluating, recomputing_statistics
from equipoise.sampling.module import SamplerModule
from equipoise.sampling.rows import Rows
from equipoise.transforms.chain import Chain
from equipoise.transforms.scaling import same_kind

if TYPE_CHECKING:
    from equipoise.data.schema import UserData

Codes = Mapping[str, ArrayLike]
Drawn = tuple[Tensor, Tensor | None]
# Seed of samples for metrics, so that equal generators have equal metrics.
EVALUATION_SEED = 1_000_003
# Number and size of the batches for BatchNorm statistics. Of images with more than
# `RECALIBRATION_PIXELS` there are fewer batches, with as many pixels: at 64 x 64 they
# take 5 s of one core instead of 20, and are 1% off.
RECALIBRATION_BATCHES, RECALIBRATION_SIZE = 32, 64
MIN_RECALIBRATION_BATCHES, RECALIBRATION_PIXELS = 4, 32 * 32
# Latents that are drawn at once, for samples of up to 256 values; fewer for larger
# ones.
BLOCK = 4096
ENDLESS = 2**40  # draws, of which only those that are needed are made
DECODED_ROWS = 2**16  # of a table, at once
# Generator passes for one block. The activations of a quarter fit into the cache.
PASSES_PER_BLOCK = 4


@dataclass
class Sampler:
    """Draws samples from a generator, in evaluation mode.

    The generator's mode is restored after each draw.
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
        self,
        n: int,
        seed: int,
        label: int | None = None,
        codes: Codes | None = None,
        conditions: Conditions | None = None,
    ) -> UserData:
        """Draw samples.

        Beside the result, memory is allocated for one pass of the generator at a time.

        Args:
            n: Number of samples.
            seed: Seed of latents and classes. The first samples are the same for every
                n.
            label: The index of the class to draw, for a conditional generator. None:
                classes at their training frequencies.
            codes: Values of the latent codes, see `Prior.with_codes`.
            conditions: What rows of a table must meet; None for its constraints alone.
                The number of rows drawn for them is the result's `attrs["drawn"]`.

        Returns:
            An array, tensor or DataFrame of the user's type and layout.

        Raises:
            RequestError: Memory cannot hold the samples, a code is unknown, or
                conditions are hardly ever met.
        """
        check_sample_memory(n, self.schema.sample_bytes)
        conditions = conditions or self.constraints()
        rows = iter([self._no_rows])
        if n:
            parts = self._rows(n, seed, label, codes, conditions)
            rows = rebatch(parts, self._decoded_rows, Rows.join)
        samples = self.schema.collect(n, (part.as_part for part in rows), seed)
        return _with_draws(samples, conditions)

    def batches(
        self,
        size: int,
        n: int,
        seed: int,
        label: int | None = None,
        codes: Codes | None = None,
        conditions: Conditions | None = None,
    ) -> Iterator[UserData]:
        """As `sample`, in batches of `size`; the last batch has the rest. All together
        are what `sample` returns."""
        conditions = conditions or self.constraints()
        parts = rebatch(self._rows(n, seed, label, codes, conditions), size, Rows.join)
        return (
            _with_draws(
                self.schema.to_user(part.values, part.labels, seed, number * size), conditions
            )
            for number, part in enumerate(parts)
        )

    def constraints(self) -> Conditions | None:
        """The constraints that all samples of a table meet, none drawn yet; None
        without any."""
        return Conditions.of_constraints(self.schema)

    @property
    def _has_label_column(self) -> bool:
        return self.schema.label_column is not None and bool(self.recipe.conditional)

    @property
    def _no_rows(self) -> Rows:
        labels = np.empty(0, np.int64) if self._has_label_column else None
        return Rows(np.empty((0, *self.schema.shape)), labels)

    @property
    def _decoded_rows(self) -> int:
        """Samples that are turned into the user's type at once: each column of a table
        takes a while, however few rows it has. A window of series is several rows."""
        if self.schema.container != "frame":
            return 1
        series = self.schema.series
        return DECODED_ROWS if series is None else max(DECODED_ROWS // series.steps, 1)

    def _rows(
        self,
        n: int,
        seed: int,
        label: int | None,
        codes: Codes | None,
        conditions: Conditions | None,
    ) -> Iterator[Rows]:
        """As `values`, one generator pass at a time, with the positions of labels.
        Codes are checked immediately."""
        draws = n if conditions is None else ENDLESS
        if conditions is not None and any(np.ndim(value) for value in (codes or {}).values()):
            raise RequestError(
                "codes: give one number each, since rows that do not meet conditions or "
                "constraints are thrown away"
            )
        some = None if conditions is None else conditions.labels
        y = self._classes_of(draws, seed, label if some is None else some)
        passes = self._passes(self._latents(draws, seed, codes), y)
        rows = (self._labelled_pass(*drawn) for drawn in passes)
        return rows if conditions is None else _kept(rows, n, conditions)

    def _labelled_pass(self, z: Tensor, y: Tensor | None) -> Rows:
        labels = self.labels(y)
        return Rows(self._pass(z, y), None if labels is None else labels.cpu().numpy())

    def drawn_labels(self, n: int, seed: int, label: int | None = None) -> Iterator[int] | None:
        """The index of the label of each sample that `batches` draws with these
        arguments; None for a generator without labels."""
        if not self.recipe.conditional:
            return None
        parts = self._classes_of(n, seed, label)
        return (position for y in parts for position in self.transform.labels(y).tolist())

    def values(
        self,
        n: int,
        seed: int,
        label: int | None = None,
        codes: Codes | None = None,
        *,
        constrained: bool = True,
    ) -> NDArray[np.float64]:
        """Samples in the user's units, (n, *shape), as float64 rounded to the user's
        types.

        Args:
            n: As for `sample`, and so are seed, label and codes.
            constrained: Whether they meet the constraints of a table. A generator that
                has learned little may never meet them.
        """
        check_sample_memory(n, self.schema.size * np.dtype(np.float64).itemsize)
        conditions = self.constraints() if constrained else None
        rows = self._rows(n, seed, label, codes, conditions)
        return self._collect(n, (part.values for part in rows))

    def labelled_values(
        self, n: int, seed: int, conditions: Conditions | None
    ) -> tuple[NDArray[np.float64], NDArray[np.int64] | None]:
        """As `values`, with the positions of their labels, (n,); None for a generator
        without labels."""
        labels: list[NDArray[np.int64]] = []

        def parts() -> Iterator[NDArray[np.float64]]:
            for rows in self._rows(n, seed, None, None, conditions):
                labels.extend([] if rows.labels is None else [rows.labels])
                yield rows.values

        values = self._collect(n, parts())
        return values, np.concatenate(labels) if labels else None

    def measured_values(self, n: int, seed: int) -> NDArray[np.float64]:
        """As `values`, the way metrics compare samples while training: with
        premultiplied alpha, and whether or not they meet constraints."""
        values = torch.from_numpy(self.values(n, seed, constrained=False))
        measured = as_measured(values, self.schema, self.transform.limits).numpy()
        return np.asarray(measured, np.float64)

    def latents(
        self, n: int, seed: int, label: int | None = None, codes: Codes | None = None
    ) -> Drawn:
        """Draw latents, (n, Z), and the networks' classes, (n,), or None for networks
        without classes. The first ones are the same for every n."""
        z = [torch.empty(0, self.prior.width), *self._latents(n, seed, codes)]
        return torch.cat(z), self.classes(n, seed, label)

    def classes(self, n: int, seed: int, label: int | None = None) -> Tensor | None:
        """The networks' classes of the samples with these arguments, (n,); None for
        networks without classes."""
        unused, y = torch.Generator(), [*self._classes_of(n, seed, label)]
        return torch.cat(y) if y else self._classes(0, label, unused, unused)

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

    def _latents(self, n: int, seed: int, codes: Codes | None) -> Iterator[Tensor]:
        """Latents in blocks. The last block is drawn in full, so that the first latents
        are the same for every n."""
        block, generator = self._block, seeded(seed, Stream.SAMPLES)
        code_values = self.prior.code_values(codes or {}, n)

        def draw(start: int) -> Tensor:
            z = self.prior.sample(block, generator)[: n - start]
            if not code_values:
                return z
            values = {name: of_code[start : start + block] for name, of_code in code_values.items()}
            return self.prior.with_codes(z, values)

        return (draw(start) for start in range(0, n, block))

    def _classes_of(
        self, n: int, seed: int, label: int | tuple[int, ...] | None
    ) -> Iterator[Tensor]:
        """The networks' classes of n latents in blocks; empty for networks without
        classes.

        The last block is drawn in full, so that the first classes are the same for
        every n. Clusters have their own random stream, so that they do not depend on
        the number of labels drawn.
        """
        if not (self.recipe.conditional or self.transform.clustering is not None):
            return
        labels = seeded(seed, Stream.CLASSES)
        clusters = seeded(seed, Stream.CLASS_CLUSTERS) if self.recipe.conditional else labels
        for start in range(0, n, BLOCK):
            classes = self._classes(BLOCK, label, labels, clusters)
            assert classes is not None, "conditional networks have classes"
            yield classes[: n - start]

    def _passes(self, z: Iterable[Tensor], y: Iterable[Tensor] | None) -> Iterator[Drawn]:
        """Latents and classes in batches of one generator pass."""
        size = max(self._block // PASSES_PER_BLOCK, 1)
        classes = iter(()) if y is None else rebatch(y, size, torch.cat)
        return ((part, next(classes, None)) for part in rebatch(z, size, torch.cat))

    def _pass(self, z: Tensor, y: Tensor | None) -> NDArray[np.float64]:
        with evaluating(self.generator), torch.no_grad():
            samples = self.module(z.to(self.device), None if y is None else y.to(self.device))
        values: NDArray[np.float64] = samples.cpu().numpy()
        return values

    def check_kind(self, shape: tuple[int, ...], limits: tuple[float, float] | None) -> None:
        """Check data against the generator.

        Args:
            shape: Of a sample.
            limits: The range of values of images; None for other data.

        Raises:
            RequestError: Samples have another shape, or images another range.
        """
        if shape != self.schema.shape:
            raise RequestError(
                f"data has samples of shape {shape}, the generator makes {self.schema.shape}: "
                "give data of that shape"
            )
        own = self.transform.limits
        if limits is not None and own is not None and not same_kind(own, limits):
            raise RequestError(
                f"data has images with another range of values than the generator's {own[0]:g} "
                f"to {own[1]:g}: give data of the same kind"
            )

    def position(self, label: Hashable) -> int:
        """The index of a label among the generator's classes.

        Raises:
            RequestError: The generator is not conditional, or the label is unknown.
        """
        if not self.recipe.conditional:
            instead = (
                "train with conditional"
                if self.recipe.takes_labels
                else f"{self.recipe.name} has codes instead"
            )
            raise RequestError(f"label {label!r}: this generator has no classes: {instead}")
        return self.schema.class_index(label)

    def encode(self, raw: Tensor) -> dict[str, NDArray[Any]]:
        """Predict the latent codes of samples.

        Args:
            raw: (N, *shape), in the user's units.

        Returns:
            Categorical codes c0, ... as indices, (N,), and continuous codes u0, ... as
            the posterior's means, (N,).

        Raises:
            RequestError: The generator has no codes.
            EquipoiseError: The encoder's file is missing or damaged.
        """
        if not self.prior.codes:
            raise RequestError(
                f"{self.recipe.name} has no codes to predict: train the recipe 'infogan'"
            )
        if self.encoder is None:
            raise EquipoiseError(
                "encoder.safetensors is missing, damaged or older than the generator: resume "
                "the run, which writes both"
            )
        parts = []
        with evaluating(self.encoder), torch.no_grad():
            for start in range(0, len(raw), self._block):
                x = self.transform.scaled(raw[start : start + self._block]).to(self.device)
                parts.append(self.encoder.auxiliary_outputs(x).double().cpu())  # type: ignore[operator]  # a Discriminator
        outputs = torch.cat(parts) if parts else torch.empty(0, self.prior.width)
        first = self.prior.dim
        posteriors = {
            name: outputs[:, at.start - first : at.stop - first]
            for name, at in self.prior.codes.items()
        }
        return {
            name: (part.argmax(1) if name.startswith("c") else part.squeeze(1)).numpy()
            for name, part in posteriors.items()
        }

    def recalibrate_batchnorm(self, seed: int, real: Tensor | None = None) -> None:
        """Recompute BatchNorm statistics, from weights and seed alone.

        An EMA generator has G's statistics, which do not fit its weights. The encoder's
        come from training batches with generated samples.

        Args:
            seed: Seed of latents, classes and noise.
            real: Raw samples, (N, *shape), for the encoder. None: the encoder's are not
                recomputed.
        """
        latents, classes = seeded(seed, Stream.BATCHNORM, 0), seeded(seed, Stream.BATCHNORM, 1)
        with recomputing_statistics(self.generator) as has_batchnorm:
            for _ in range(self._recalibration_batches if has_batchnorm else 0):
                z = self.prior.sample(RECALIBRATION_SIZE, latents)
                y = self._classes(RECALIBRATION_SIZE, None, classes, classes)
                self.generator(z.to(self.device), y)
        if self.encoder is not None and real is not None:
            noise = seeded(seed, Stream.BATCHNORM, 2, device=self.device)
            with recomputing_statistics(self.encoder):
                for start in range(0, len(real), RECALIBRATION_SIZE):
                    part = real[start : start + RECALIBRATION_SIZE].to(self.device)
                    self.encoder(self.transform.encode(part, None, noise)[0])

    @property
    def _recalibration_batches(self) -> int:
        pixels = math.prod(self.schema.shape[1:]) if self.schema.is_image else 1
        fewer = RECALIBRATION_BATCHES * RECALIBRATION_PIXELS // pixels
        return min(max(fewer, MIN_RECALIBRATION_BATCHES), RECALIBRATION_BATCHES)

    @property
    def _block(self) -> int:
        return max(BLOCK * 256 // max(self.schema.size, 256), 1)

    def labels(self, classes: Tensor | None) -> Tensor | None:
        """The labels that belong to the networks' classes, (N,); None for a generator
        without labels."""
        if classes is None or not self.recipe.conditional:
            return None
        return self.transform.labels(classes)

    def _classes(
        self,
        n: int,
        label: int | tuple[int, ...] | None,
        labels: torch.Generator,
        clusters: torch.Generator,
    ) -> Tensor | None:
        """Draw the networks' classes of n latents, (n,); None for networks without.

        Args:
            n: Number of latents.
            label: The index of one label, or of those to choose from at their
                training frequencies; None for all.
            labels: The random generator for labels.
            clusters: The random generator for clusters.
        """
        drawn = self._labels(n, label, labels)
        return None if drawn is None else self.transform.classes(drawn, clusters).to(self.device)

    def _labels(
        self, n: int, label: int | tuple[int, ...] | None, generator: torch.Generator
    ) -> Tensor | None:
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
        # multinomial cannot draw 0 samples.
        return torch.multinomial(counts, max(n, 1), replacement=True, generator=generator)[:n]


def _kept(rows: Iterator[Rows], n: int, conditions: Conditions) -> Iterator[Rows]:
    """The first n rows that meet conditions. Raises as `Conditions.keep`."""
    while n > 0:
        kept = conditions.keep(next(rows), n)
        n -= len(kept)
        if len(kept):
            yield kept


def _with_draws(samples: UserData, conditions: Conditions | None) -> UserData:
    """A table with the number of rows that were drawn for it so far."""
    if conditions is not None:
        samples.attrs["drawn"] = conditions.drawn  # type: ignore[union-attr]  # a table
    return samples

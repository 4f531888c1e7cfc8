"""The sampler: draws latents and labels, and generates samples of the user's type in
batches. generator.safetensors stores one."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from equipoise.data.alpha import as_measured
from equipoise.data.loading import Stream, seeded
from equipoise.data.schema import Schema
from equipoise.errors import EquipoiseError, RequestError
from equipoise.networks.latents import Prior
from equipoise.recipes.base import Recipe
from equipoise.sampling.batching import check_sample_memory, rebatch
from equipoise.sampling.conditions import Conditions
from equipoise.sampling.draws import Codes, Drawn, Draws
from equipoise.sampling.evaluation_mode import evaluating, recomputing_statistics
from equipoise.sampling.module import SamplerModule
from equipoise.sampling.rows import Rows
from equipoise.transforms.chain import Chain
from equipoise.transforms.scaling import same_kind

if TYPE_CHECKING:
    from equipoise.data.schema import UserData

# Seed of samples for metrics, so that equal generators have equal metrics.
EVALUATION_SEED = 1_000_003
# Number and size of the batches for BatchNorm statistics. Of images with more than
# `RECALIBRATION_PIXELS` there are fewer batches, with as many pixels: at 64 x 64 they
# take 5 s of one core instead of 20, and are 1% off.
RECALIBRATION_BATCHES, RECALIBRATION_SIZE = 32, 64
MIN_RECALIBRATION_BATCHES, RECALIBRATION_PIXELS = 4, 32 * 32
# Fraction of these batches before the end of a training: with all of them twenty saves
# would take a third of five minutes on colour images. The Frechet distance of digits is
# 7% higher.
INTERIM_FRACTION = 1 / 4
ENDLESS = 2**40  # draws, of which only those that are needed are made
DECODED_ROWS = 2**16  # of a table, at once


@dataclass(frozen=True)
class Asked:
    """The samples that are asked for."""

    n: int
    seed: int
    label: int | None = None
    """The index of the class; None for all."""
    codes: Codes | None = None
    conditions: Conditions | None = None
    """What rows of a table must meet; None where any will do."""


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
    draws: Draws = field(init=False, repr=False)
    """Latents and classes."""

    def __post_init__(self) -> None:
        self.module = SamplerModule(self.generator, self.transform)
        self.draws = Draws(self.prior, self.recipe, self.schema, self.transform)

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
            rows = self._rows(n, seed, label, codes, conditions)
            if self._decoded_rows > 1:
                rows = rebatch(rows, self._decoded_rows, Rows.join)
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
        if conditions is not None:
            _refuse_many_codes(codes)
        some = None if conditions is None else conditions.labels
        passes = self.draws.passes(draws, seed, label if some is None else some, codes)
        rows = (self._labelled_pass(*drawn) for drawn in passes)
        return rows if conditions is None else _kept(rows, n, conditions)

    def rows(self, asked: Asked, span: range) -> Iterator[Rows]:
        """Some of the rows that are asked for, drawn without those before them.

        Without conditions they are those of `sample`. With them each block of rows is
        drawn on its own, until it is full of rows that meet them: others than those of
        `sample`, with the same distribution.

        Args:
            asked: All rows that are asked for.
            span: Numbers of those wanted, in order and without gaps.
        """
        size = self.draws.pass_size if asked.conditions is None else self.draws.block
        start = span.start - span.start % size
        if asked.conditions is not None:
            kept = self._blocks_kept(asked, asked.conditions, range(start, span.stop, size))
            return _within(kept, start, span)
        passes = self.draws.passes(asked.n, asked.seed, asked.label, asked.codes, start)
        return _within((self._labelled_pass(*drawn) for drawn in passes), start, span)

    def _blocks_kept(self, asked: Asked, conditions: Conditions, firsts: range) -> Iterator[Rows]:
        """Rows that meet conditions, by blocks.

        Args:
            asked: All rows that are asked for.
            conditions: Theirs.
            firsts: The number of the first row of each block wanted; no row from
                `firsts.stop` on is.
        """
        _refuse_many_codes(asked.codes)
        label = asked.label if conditions.labels is None else conditions.labels
        for first in firsts:
            number = first // self.draws.block
            drawn = self.draws.candidates(number, asked.seed, label, asked.codes)
            rows = (self._labelled_pass(*part) for part in drawn)
            yield from _kept(rows, min(self.draws.block, firsts.stop - first), conditions)

    def _labelled_pass(self, z: Tensor, y: Tensor | None) -> Rows:
        labels = None if y is None else self.labels(y.to(self.device))
        return Rows(self._pass(z, y), None if labels is None else labels.cpu().numpy())

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
        drawn = [*self.draws.passes(n, seed, label, codes)]
        z = torch.cat([torch.empty(0, self.prior.width), *(z for z, _ in drawn)])
        # Without a sample there are classes all the same, none of them.
        y = [y for _, y in drawn or self.draws.passes(1, seed, label) if y is not None]
        return z, torch.cat(y)[:n].to(self.device) if y else None

    def decode_latents(self, z: Tensor, y: Tensor | None) -> NDArray[np.float64]:
        """The samples of given latents, (n, Z), and classes, as `values`."""
        return self._collect(len(z), (self._pass(*part) for part in self.draws.split(z, y)))

    def _collect(self, n: int, parts: Iterable[NDArray[np.float64]]) -> NDArray[np.float64]:
        drawn, start = np.empty((n, *self.schema.shape)), 0
        for part in parts:
            drawn[start : start + len(part)] = part
            start += len(part)
        return drawn

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
            for part in torch.split(raw, self.draws.block):
                x = self.transform.scaled(part).to(self.device)
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

    def recalibrate_batchnorm(
        self, seed: int, real: Tensor | None = None, interim: bool = False
    ) -> None:
        """Recompute BatchNorm statistics, from weights and seed alone.

        An EMA generator has G's statistics, which do not fit its weights. The encoder's
        come from training batches with generated samples.

        Args:
            seed: Seed of latents, classes and noise.
            real: Raw samples, (N, *shape), for the encoder. None: the encoder's are not
                recomputed.
            interim: Whether the training goes on: G's statistics are of fewer samples.
        """
        batches = self._recalibration_batches(INTERIM_FRACTION if interim else 1.0)
        latents, classes = seeded(seed, Stream.BATCHNORM, 0), seeded(seed, Stream.BATCHNORM, 1)
        with recomputing_statistics(self.generator) as has_batchnorm:
            for _ in range(batches if has_batchnorm else 0):
                z = self.prior.sample(RECALIBRATION_SIZE, latents)
                y = self.draws.classes(RECALIBRATION_SIZE, None, classes, classes)
                self.generator(z.to(self.device), None if y is None else y.to(self.device))
        if self.encoder is not None and real is not None:
            noise = seeded(seed, Stream.BATCHNORM, 2, device=self.device)
            # Equal parts: a last one of a single sample has no variance.
            parts = real.tensor_split(math.ceil(len(real) / RECALIBRATION_SIZE))
            with recomputing_statistics(self.encoder):
                for part in parts:
                    self.encoder(self.transform.encode(part.to(self.device), None, noise)[0])

    def _recalibration_batches(self, fraction: float) -> int:
        pixels = math.prod(self.schema.shape[1:]) if self.schema.is_image else 1
        of_pixels = min(RECALIBRATION_PIXELS / pixels, 1.0)
        batches = int(RECALIBRATION_BATCHES * of_pixels * fraction)
        return max(batches, MIN_RECALIBRATION_BATCHES)

    def labels(self, classes: Tensor | None) -> Tensor | None:
        """The labels that belong to the networks' classes, (N,); None for a generator
        without labels."""
        if classes is None or not self.recipe.conditional:
            return None
        return self.transform.labels(classes)


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


def _within(parts: Iterable[Rows], start: int, span: range) -> Iterator[Rows]:
    """The rows with the numbers of a span, of parts whose first row is number
    `start`."""
    for part in parts:
        wanted = part[max(span.start - start, 0) : max(span.stop - start, 0)]
        if len(wanted):
            yield wanted
        start += len(part)
        if start >= span.stop:
            return


def _refuse_many_codes(codes: Codes | None) -> None:
    """Check that codes are a number each, where rows are thrown away."""
    if any(np.ndim(value) for value in (codes or {}).values()):
        raise RequestError(
            "codes: give one number each, since rows that do not meet conditions or "
            "constraints are thrown away"
        )

"""The sampler: a trained generator with all that turns latents into the user's kind of data. What generator.safetensors holds."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from equipoise.data.feeds import Stream, seeded
from equipoise.data.modes import Modes
from equipoise.data.scaling import Scaling, same_kind
from equipoise.data.schema import Schema, cast
from equipoise.errors import EquipoiseError, RequestError, clipped, first_line
from equipoise.kinds import checked, instance
from equipoise.networks.latents import Prior
from equipoise.recipes import find
from equipoise.recipes.base import Recipe
from equipoise.training.files import DamagedFileError, pack, unpack, write_whole
from equipoise.training.process import at_work
from equipoise.training.state import build_method, outline

Drawn = tuple[Tensor, Tensor | None]
ENCODER = "encoder.safetensors"  # beside the generator
SETTLING_BATCHES, SETTLING_SIZE = 32, 64  # that BatchNorm statistics are taken from
LARGER = 1000  # times as many weights as G that D may have in a file
CHUNK = 4096  # points whose latents are drawn at once; of pictures as many as have the same number of values as so many rows of 256
PASSES = 4  # in which they are made: what a quarter of a chunk takes stays in the cache


@dataclass
class Sampler:
    """Draws from a generator. The generator is put into evaluation mode for each draw and back after."""

    generator: nn.Module
    prior: Prior
    recipe: Recipe
    schema: Schema
    scaling: Scaling
    device: torch.device
    samples_seen: int = 0
    encoder: nn.Module | None = None
    """The discriminator with its auxiliary head, of a generator that has codes."""
    modes: Modes | None = None
    """What the generator's points are relative to."""

    def values(self, n: int, seed: int, label: int | None = None, codes: Mapping[str, ArrayLike] | None = None) -> NDArray[np.float64]:
        """n samples in the user's units, (n, *shape), rounded to the user's type, as float64.

        For a conditional generator `label` is the position of the one class to draw; None draws classes at their training frequencies.
        `codes` sets codes of the latents, see `Prior.with_codes`.
        """
        return self.of_latents(*self.latents(n, seed, label, codes))

    def latents(self, n: int, seed: int, label: int | None = None, codes: Mapping[str, ArrayLike] | None = None) -> Drawn:
        """n latents, (n, Z), and the networks' classes, (n,), or None: the first ones are the same for every n."""
        chunk, generator = self._chunk, seeded(seed, Stream.SAMPLES)
        parts = [self.prior.sample(chunk, generator)[: n - start] for start in range(0, n, chunk)]
        z = torch.cat(parts) if parts else torch.empty(0, self.prior.width)
        return self.prior.with_codes(z, codes) if codes else z, self._classes(n, label, seeded(seed, Stream.CLASSES))

    def of_latents(self, z: Tensor, y: Tensor | None) -> NDArray[np.float64]:
        """What the generator makes of latents and classes, as `values`."""
        drawn, together = np.empty((len(z), *self.schema.shape)), max(self._chunk // PASSES, 1)
        with _evaluating(self.generator), torch.no_grad():
            for start in range(0, len(z), together):
                part = slice(start, start + together)
                classes = None if y is None else y[part].to(self.device)
                made = self.generator(z[part].to(self.device), classes)
                placed = made if self.modes is None or classes is None else self.modes.place(made, classes)
                drawn[part] = self._rounded(self.scaling.decode(placed))
        return drawn

    def _rounded(self, values: NDArray[np.float64]) -> NDArray[Any]:
        """Values as the user's type holds them."""
        if self.schema.column_dtypes is None:
            return cast(values, self.schema.dtype)
        for column, dtype in enumerate(self.schema.column_dtypes):
            values[:, column] = cast(values[:, column], dtype)
        return values

    def check_kind(self, shape: tuple[int, ...], limits: tuple[float, float] | None) -> None:
        """Raises RequestError where samples of this shape, and pictures of this range, are not of the generator's kind."""
        if shape != self.schema.shape:
            raise RequestError(f"data has samples of shape {shape}, the generator makes {self.schema.shape}: give data of that shape")
        low, high = self.scaling.low, self.scaling.high
        if limits is not None and low is not None and high is not None and not same_kind((low, high), limits):
            raise RequestError(
                f"data has pictures of another range of values than the generator's {low:g} to {high:g}: give data of the same kind"
            )

    def position(self, label: Hashable) -> int:
        """The position of a label among the classes that were learned. Raises RequestError for one that was not."""
        if not self.recipe.conditional:
            instead = "train with conditional" if self.recipe.takes_labels else f"{self.recipe.name} has codes instead"
            raise RequestError(f"label {label!r} was asked for, but this generator did not learn classes: {instead}")
        return self.schema.class_index(label)

    def encode(self, raw: Tensor) -> dict[str, NDArray[Any]]:
        """The codes that the encoder reads in raw samples, (N, *shape): c0, ... as entries' numbers, (N,), u0, ... as the means of the
        posterior, (N,). Raises RequestError for a generator without codes."""
        if not self.prior.codes:
            raise RequestError(f"{self.recipe.name} has no codes to encode samples to: train the recipe 'infogan'")
        if self.encoder is None:
            raise EquipoiseError(
                f"{ENCODER} is missing, damaged or of another moment than the generator: resume the run, which writes both"
            )
        parts = []
        with _evaluating(self.encoder), torch.no_grad():
            for start in range(0, len(raw), self._chunk):
                x = self.scaling.encode(raw[start : start + self._chunk]).to(self.device)
                parts.append(self.encoder.answers(x).double().cpu())  # type: ignore[operator]  # a Discriminator
        answers = torch.cat(parts) if parts else torch.empty(0, self.prior.width)
        first = self.prior.dim
        read = {name: answers[:, at.start - first : at.stop - first] for name, at in self.prior.codes.items()}
        return {name: (part.argmax(1) if name.startswith("c") else part.squeeze(1)).numpy() for name, part in read.items()}

    def settle(self, seed: int, real: Tensor | None = None) -> None:
        """Take BatchNorm statistics anew: of an averaged generator, since those of the generator that it averages are not its own, and of
        the encoder on `real` raw samples, since while training it sees more generated ones. They depend on weights and seed alone."""
        latents, classes = seeded(seed, Stream.SETTLING, 0), seeded(seed, Stream.SETTLING, 1)
        with _taking_statistics(self.generator) as there_are:
            for _ in range(SETTLING_BATCHES if there_are else 0):
                z, y = self.prior.sample(SETTLING_SIZE, latents), self._classes(SETTLING_SIZE, None, classes)
                self.generator(z.to(self.device), y)
        if self.encoder is not None and real is not None:
            with _taking_statistics(self.encoder):
                for start in range(0, len(real), SETTLING_SIZE):
                    self.encoder(self.scaling.encode(real[start : start + SETTLING_SIZE]).to(self.device))

    @property
    def _chunk(self) -> int:
        return max(CHUNK * 256 // max(self.schema.size, 256), 1)

    def labels(self, classes: Tensor | None) -> Tensor | None:
        """The labels, (N,), that the networks' classes, (N,), stand for; None for a generator that learned none."""
        if classes is None or not self.recipe.conditional:
            return None
        return classes if self.modes is None else self.modes.labels(classes)

    def _classes(self, n: int, label: int | None, generator: torch.Generator) -> Tensor | None:
        if not self.recipe.conditional:
            found = None if self.modes is None else torch.zeros(n, dtype=torch.int64)
        elif label is not None:
            found = torch.full((n,), label)
        else:
            counts = torch.tensor(self.schema.class_counts, dtype=torch.float64)
            found = torch.multinomial(counts, max(n, 1), replacement=True, generator=generator)[:n]  # which draws no nothing
        if found is not None and self.modes is not None:
            found = self.modes.classes(found, generator)
        return None if found is None else found.to(self.device)

    def save(self, path: Path) -> None:
        """Write the generator and what it needs, and beside it the encoder if there is one; no time, path or host, so equal trainings give
        equal bytes."""
        metadata = {
            "recipe": {"name": self.recipe.name, **asdict(self.recipe)},
            "schema": self.schema.to_dict(),
            "scaling": self.scaling.to_dict(),
            "prior": self.prior.to_dict(),
            "samples_seen": self.samples_seen,
        }
        if self.encoder is not None:
            write_whole(path.with_name(ENCODER), pack(dict(self.encoder.state_dict()), {"samples_seen": self.samples_seen}))
        modes = {} if self.modes is None else {f"modes.{name}": value for name, value in self.modes.state_dict().items()}
        write_whole(path, pack({**self.generator.state_dict(), **modes}, metadata))

    def is_saved(self, path: Path) -> bool:
        """Whether `path` holds what a sampler of this moment saved, and the encoder lies beside it, if there is one."""
        files = [path] if self.encoder is None else [path, path.with_name(ENCODER)]
        try:
            return all(unpack(file)[1].get("samples_seen") == self.samples_seen for file in files)
        except DamagedFileError:
            return False

    @classmethod
    @at_work()
    def load(cls, path: Path, device: torch.device) -> Sampler:
        """The sampler that `save` wrote. Raises DamagedFileError if the file is not whole or does not fit its own description, which is
        found before any memory is taken for networks that are not in it."""
        tensors, metadata = unpack(path)
        try:
            schema, scaling = Schema.from_dict(metadata["schema"]), Scaling.from_dict(metadata["scaling"])
            recipe, samples_seen = recipe_from(metadata["recipe"]), checked("samples_seen", metadata["samples_seen"], int)
            bounded = None not in (scaling.low, scaling.high)
            if (len(scaling.shift), bounded) != ((1, True) if schema.is_picture else (schema.size, False)):
                raise RequestError("its scaling is not of its schema")
            _refuse_other_networks(recipe, schema, tensors)
            method = build_method(recipe, schema, seed=0)
            if method.modes is not None:
                method.modes.load_state_dict({name: tensors.pop(f"modes.{name}") for name in method.modes.state_dict()})
            method.generator.load_state_dict(tensors)
            encoder = _read_encoder(path.with_name(ENCODER), method.discriminator, samples_seen) if method.prior.codes else None
        except (RequestError, KeyError, TypeError, ValueError, RuntimeError) as error:
            raise DamagedFileError(f"{path} does not fit its own description: {first_line(error)}") from None
        if encoder is not None:
            encoder.to(device).eval()
        modes = None if method.modes is None else method.modes.to(device)
        generator = method.generator.to(device).eval()
        return cls(generator, method.prior, recipe, schema, scaling, device, samples_seen, encoder, modes)


def _refuse_other_networks(recipe: Recipe, schema: Schema, tensors: Mapping[str, Tensor]) -> None:
    """Raises RequestError where the recipe's generator is not what the tensors are of, or a weight is not a number."""
    if recipe.modes is not None and recipe.modes > max(len(value) for value in tensors.values() if value.dim()):
        raise RequestError(f"modes = {recipe.modes}: it holds fewer")
    method = outline(recipe, schema)
    expected = dict(method.generator.state_dict())
    if method.modes is not None:
        expected |= {f"modes.{name}": value for name, value in method.modes.state_dict().items()}
    for name in expected.keys() | tensors.keys():
        if name not in expected or name not in tensors or tensors[name].shape != expected[name].shape:
            told = [tuple(of[name].shape) if name in of else "none" for of in (tensors, expected)]
            raise RequestError(f"its weight {clipped(name)!r} has shape {told[0]}, and {recipe.name}'s {told[1]}")
        if tensors[name].is_complex() or tensors[name].is_floating_point() != expected[name].is_floating_point():
            raise RequestError(f"its weight {name!r} has type {tensors[name].dtype}, and {recipe.name}'s {expected[name].dtype}")
    sizes = [sum(weight.numel() for weight in player.parameters()) for player in (method.generator, method.discriminator)]
    if sizes[1] > LARGER * (sizes[0] + LARGER):
        raise RequestError(f"its discriminator has {sizes[1]:,} weights, its generator {sizes[0]:,}")


def _read_encoder(path: Path, encoder: nn.Module, samples_seen: int) -> nn.Module | None:
    """The encoder that was saved beside a generator, or None where it is not whole or is of another moment: sampling does without."""
    try:
        tensors, metadata = unpack(path)
    except DamagedFileError:
        return None
    if metadata.get("samples_seen") != samples_seen:
        return None
    try:
        encoder.load_state_dict(tensors)
    except RuntimeError:  # of another shape
        return None
    return encoder


@contextmanager
def _taking_statistics(network: nn.Module) -> Iterator[bool]:
    """For the while, BatchNorm layers take the plain mean of all batches' statistics, and the rest evaluates. Yields whether there are
    any."""
    layers = [layer for layer in network.modules() if isinstance(layer, _BatchNorm)]
    momenta = [layer.momentum for layer in layers]
    with _evaluating(network), torch.no_grad():
        for layer in layers:
            layer.reset_running_stats()
            layer.momentum = None
            layer.train()
        yield bool(layers)
    for layer, momentum in zip(layers, momenta, strict=True):
        layer.momentum = momentum


@contextmanager
def _evaluating(network: nn.Module) -> Iterator[None]:
    """Evaluation mode for the while: no dropout, and BatchNorm by its statistics."""
    was_training = network.training
    network.eval()
    try:
        yield
    finally:
        network.train(was_training)


def recipe_from(stored: dict[str, Any]) -> Recipe:
    """The recipe that a file names, with its fields. Raises RequestError if there is none such."""
    if not isinstance(stored, dict) or not isinstance(stored.get("name"), str):
        raise RequestError(f"recipe = {clipped(repr(stored))}: has no name")
    return instance(find(stored["name"]), {name: value for name, value in stored.items() if name != "name"})

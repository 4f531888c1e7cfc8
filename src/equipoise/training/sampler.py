"""The sampler: a trained generator with all that turns latents into the user's kind of data. What generator.safetensors holds."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from equipoise.data.feeds import Stream, seeded
from equipoise.data.scaling import Scaling
from equipoise.data.schema import Schema, cast, from_json
from equipoise.networks.latents import Prior
from equipoise.recipes import find
from equipoise.recipes.base import Recipe
from equipoise.training.files import DamagedFileError, pack, unpack, write_whole
from equipoise.training.state import build_method

CHUNK = 4096  # points a forward pass; pictures take as many as have the same number of values as this many rows of 256


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

    def values(self, n: int, seed: int, label: int | None = None) -> NDArray[np.float64]:
        """n samples in the user's units, (n, *shape), rounded to the user's type, as float64.

        For a conditional generator `label` is the position of the one class to draw; None draws classes at their training frequencies.
        """
        latents, classes = seeded(seed, Stream.SAMPLES), seeded(seed, Stream.CLASSES)
        chunk = max(CHUNK * 256 // max(self.schema.size, 256), 1)
        parts = []
        was_training = self.generator.training
        self.generator.eval()
        with torch.no_grad():
            for start in range(0, n, chunk):
                size = min(chunk, n - start)
                z = self.prior.sample(chunk, latents)[:size].to(self.device)  # whole chunks, so that n does not change the first samples
                parts.append(self.scaling.decode(self.generator(z, self._classes(size, label, classes))))
        self.generator.train(was_training)
        drawn = np.concatenate(parts) if parts else np.empty((0, *self.schema.shape))
        if self.schema.column_dtypes is not None:
            for column, dtype in enumerate(self.schema.column_dtypes):
                drawn[:, column] = cast(drawn[:, column], dtype)
            return drawn
        return cast(drawn, self.schema.dtype).astype(np.float64)

    def _classes(self, n: int, label: int | None, generator: torch.Generator) -> torch.Tensor | None:
        if not self.recipe.conditional:
            return None
        if label is not None:
            return torch.full((n,), label, device=self.device)
        counts = torch.tensor(self.schema.class_counts, dtype=torch.float64)
        return torch.multinomial(counts, n, replacement=True, generator=generator).to(self.device)

    def save(self, path: Path) -> None:
        """Write the generator and what it needs; no time, path or host, so equal trainings give equal bytes."""
        metadata = {
            "recipe": {"name": self.recipe.name, **asdict(self.recipe)},
            "schema": self.schema.to_dict(),
            "scaling": self.scaling.to_dict(),
            "prior": self.prior.to_dict(),
            "samples_seen": self.samples_seen,
        }
        write_whole(path, pack(dict(self.generator.state_dict()), metadata))

    @classmethod
    def load(cls, path: Path, device: torch.device) -> Sampler:
        """The sampler that `save` wrote. Raises DamagedFileError if the file is not whole or does not fit its own description."""
        tensors, metadata = unpack(path)
        try:
            schema, scaling = Schema.from_dict(metadata["schema"]), Scaling.from_dict(metadata["scaling"])
            recipe = recipe_from(metadata["recipe"])
            method = build_method(recipe, schema, seed=0)
            method.generator.load_state_dict(tensors)
        except (KeyError, TypeError, RuntimeError) as error:
            raise DamagedFileError(f"{path} does not fit its own description: {str(error).splitlines()[0]}") from None
        return cls(method.generator.to(device).eval(), method.prior, recipe, schema, scaling, device, metadata["samples_seen"])


def recipe_from(stored: dict[str, Any]) -> Recipe:
    """The recipe that a file names, with its fields."""
    fields = from_json(stored)
    return find(fields.pop("name"))(**fields)

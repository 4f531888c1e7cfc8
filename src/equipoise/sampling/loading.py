"""Whether what a generator's file holds can be
what it says, found before memory is taken."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor, nn

from equipoise.data.schema import Schema
from equipoise.errors import RequestError, clipped
from equipoise.recipes.base import Recipe
from equipoise.runs.serialization import DamagedFileError, unpack
from equipoise.training.state import outline

LARGER = 1000  # times as many weights as G that D may have in a file


def refuse_other_networks(recipe: Recipe, schema: Schema, tensors: Mapping[str, Tensor]) -> None:
    """Raises RequestError where the recipe's generator is not
    what the tensors are of, or a weight is not a number."""
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


def read_encoder(path: Path, encoder: nn.Module, samples_seen: int) -> nn.Module | None:
    """The encoder that was saved beside a generator, or None where it
    is not whole or is of another moment: sampling does without."""
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

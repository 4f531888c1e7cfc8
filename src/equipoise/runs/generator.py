"""generator.safetensors: a sampler on disk, and what of a file is checked before memory
is taken."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import torch
from torch import Tensor, nn

from equipoise.coerce import checked
from equipoise.data.schema import Schema
from equipoise.errors import RequestError, clipped, first_line
from equipoise.recipes import MissingRecipeError
from equipoise.recipes._building import build_method, outline, recipe_from
from equipoise.recipes.base import Recipe
from equipoise.runs.provenance import missing_recipe
from equipoise.runs.serialization import DamagedFileError, pack, unpack
from equipoise.runtime.process import at_work
from equipoise.sampling.sampler import Sampler
from equipoise.transforms.scaling import Scaling
from equipoise.utils.atomic_io import write_whole

ENCODER = "encoder.safetensors"  # beside the generator
LARGER = 1000  # times as many weights as G that D may have in a file


def save_generator(sampler: Sampler, path: Path) -> None:
    """Write the generator and what it needs, and beside it the encoder if there is one.

    No time, path or host is in it, so equal trainings give equal bytes.
    """
    metadata = {
        "recipe": {"name": sampler.recipe.name, **asdict(sampler.recipe)},
        "schema": sampler.schema.to_dict(),
        "scaling": sampler.scaling.to_dict(),
        "samples_seen": sampler.samples_seen,
    }
    if sampler.encoder is not None:
        encoder = pack(dict(sampler.encoder.state_dict()), {"samples_seen": sampler.samples_seen})
        write_whole(path.with_name(ENCODER), encoder)
    clustering = (
        {}
        if sampler.clustering is None
        else {
            f"clustering.{name}": value for name, value in sampler.clustering.state_dict().items()
        }
    )
    write_whole(path, pack({**sampler.generator.state_dict(), **clustering}, metadata))


def is_saved(sampler: Sampler, path: Path) -> bool:
    """Whether `path` holds what a sampler of this moment saved, and the encoder lies
    beside it, if there is one."""
    files = [path] if sampler.encoder is None else [path, path.with_name(ENCODER)]
    try:
        return all(unpack(file)[1].get("samples_seen") == sampler.samples_seen for file in files)
    except DamagedFileError:
        return False


@at_work()
def load_generator(path: Path, device: torch.device) -> Sampler:
    """The sampler that `save_generator` wrote.

    Raises:
        DamagedFileError: The file is not whole, or does not fit its own description,
            which is found before any memory is taken for networks that are not in it.
    """
    tensors, metadata = unpack(path)
    try:
        schema, scaling = (
            Schema.from_dict(metadata["schema"]),
            Scaling.from_dict(metadata["scaling"]),
        )
        recipe, samples_seen = (
            recipe_from(metadata["recipe"]),
            checked("samples_seen", metadata["samples_seen"], int),
        )
        bounded = None not in (scaling.low, scaling.high)
        if (len(scaling.shift), bounded) != (
            (1, True) if schema.is_image else (schema.size, False)
        ):
            raise RequestError("its scaling is not of its schema")
        refuse_other_networks(recipe, schema, tensors)
        method = build_method(recipe, schema, seed=0)
        if method.clustering is not None:
            method.clustering.load_state_dict(
                {name: tensors.pop(f"clustering.{name}") for name in method.clustering.state_dict()}
            )
        method.generator.load_state_dict(tensors)
        encoder = (
            read_encoder(path.with_name(ENCODER), method.discriminator, samples_seen)
            if method.prior.codes
            else None
        )
    except MissingRecipeError:
        raise missing_recipe(path.parent, metadata["recipe"]["name"]) from None
    except (RequestError, KeyError, TypeError, ValueError, RuntimeError) as error:
        raise DamagedFileError(
            f"{path} does not fit its own description: {first_line(error)}"
        ) from None
    if encoder is not None:
        encoder.to(device).eval()
    clustering = None if method.clustering is None else method.clustering.to(device)
    generator = method.generator.to(device).eval()
    return Sampler(
        generator, method.prior, recipe, schema, scaling, device, samples_seen, encoder, clustering
    )


def load_into(sampler: Sampler, path: Path) -> None:
    """Give a sampler what one of the same networks has saved, its encoder too.

    Raises:
        DamagedFileError: The file is not whole.
    """
    saved = load_generator(path, sampler.device)
    sampler.generator.load_state_dict(saved.generator.state_dict())
    if sampler.encoder is not None and saved.encoder is not None:
        sampler.encoder.load_state_dict(saved.encoder.state_dict())
    sampler.samples_seen = saved.samples_seen


def refuse_other_networks(recipe: Recipe, schema: Schema, tensors: Mapping[str, Tensor]) -> None:
    """Raises:
    RequestError: Where the recipe's generator is not what the tensors are of, or a
        weight is not a number."""
    if recipe.clusters is not None and recipe.clusters > max(
        len(value) for value in tensors.values() if value.dim()
    ):
        raise RequestError(f"clusters = {recipe.clusters}: it holds fewer")
    method = outline(recipe, schema)
    expected = dict(method.generator.state_dict())
    if method.clustering is not None:
        expected |= {
            f"clustering.{name}": value for name, value in method.clustering.state_dict().items()
        }
    for name in expected.keys() | tensors.keys():
        if (
            name not in expected
            or name not in tensors
            or tensors[name].shape != expected[name].shape
        ):
            told = [tuple(of[name].shape) if name in of else "none" for of in (tensors, expected)]
            raise RequestError(
                f"its weight {clipped(name)!r} has shape {told[0]}, and {recipe.name}'s {told[1]}"
            )
        if (
            tensors[name].is_complex()
            or tensors[name].is_floating_point() != expected[name].is_floating_point()
        ):
            raise RequestError(
                f"its weight {name!r} has type {tensors[name].dtype}, and {recipe.name}'s "
                f"{expected[name].dtype}"
            )
    sizes = [
        sum(weight.numel() for weight in network.parameters())
        for network in (method.generator, method.discriminator)
    ]
    if sizes[1] > LARGER * (sizes[0] + LARGER):
        raise RequestError(
            f"its discriminator has {sizes[1]:,} weights, its generator {sizes[0]:,}"
        )


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

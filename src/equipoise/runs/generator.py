"""Save and load the generator, in generator.safetensors.

A file is validated before memory is allocated for its networks.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from torch import Tensor, nn

from equipoise.coerce import checked
from equipoise.data.schema import Schema
from equipoise.errors import RequestError, clipped, first_line
from equipoise.recipes import MissingRecipeError
from equipoise.recipes._building import (
    build_method,
    fitted_recipe,
    network_space,
    outline,
    recipe_from,
    recipe_to_dict,
)
from equipoise.recipes.base import Recipe
from equipoise.runs.config import missing_recipe
from equipoise.runs.serialization import DamagedFileError, pack, unpack
from equipoise.runtime.process import torch_settings
from equipoise.sampling.sampler import Sampler
from equipoise.transforms.chain import Chain
from equipoise.utils.atomic_io import write_atomic

# File names of the generator, and of an InfoGAN's encoder in the same folder.
GENERATOR = "generator.safetensors"
ENCODER = "encoder.safetensors"
# Maximum ratio of D's number of weights to G's.
MAX_RATIO = 1000


def save_generator(sampler: Sampler, path: Path) -> None:
    """Write the generator with its transforms, and the encoder if there is one.

    The file holds no time, path or host name: equal trainings give equal bytes.

    Args:
        sampler: The generator.
        path: The generator's file. The encoder's is in the same folder.
    """
    if sampler.encoder is not None:
        write_atomic(path.with_name(ENCODER), _packed_encoder(sampler, sampler.encoder))
    write_atomic(path, _packed(sampler))


def sampler_files(sampler: Sampler) -> dict[str, bytes]:
    """The content of the files that `save_generator` writes, by name."""
    files = {GENERATOR: _packed(sampler)}
    if sampler.encoder is not None:
        files[ENCODER] = _packed_encoder(sampler, sampler.encoder)
    return files


def sampler_of(files: Mapping[str, bytes], device: torch.device) -> Sampler:
    """The generator of files that `sampler_files` gave. Raises as `load_generator`."""
    with TemporaryDirectory() as folder:
        for name in (GENERATOR, ENCODER):
            if name in files:
                Path(folder, name).write_bytes(files[name])
        return load_generator(Path(folder, GENERATOR), device)


def digest(sampler: Sampler) -> str:
    """The SHA-256 of the file that `save_generator` writes."""
    return hashlib.sha256(_packed(sampler)).hexdigest()


def _packed_encoder(sampler: Sampler, encoder: nn.Module) -> bytes:
    """The content of the encoder's file."""
    return pack(dict(encoder.state_dict()), {"samples_seen": sampler.samples_seen})


def _packed(sampler: Sampler) -> bytes:
    """The content of the file."""
    metadata = {
        "recipe": recipe_to_dict(sampler.recipe),
        "schema": sampler.schema.to_dict(),
        "transform": sampler.transform.config(),
        "samples_seen": sampler.samples_seen,
    }
    return pack(_tensors(sampler.generator, sampler.transform), metadata)


def is_saved(sampler: Sampler, path: Path) -> bool:
    """Whether the files of generator and encoder have the sampler's samples seen."""
    files = [path] if sampler.encoder is None else [path, path.with_name(ENCODER)]
    try:
        return all(unpack(file)[1].get("samples_seen") == sampler.samples_seen for file in files)
    except DamagedFileError:
        return False


@torch_settings()
def load_generator(path: Path, device: torch.device) -> Sampler:
    """Read a file of `save_generator`.

    Raises:
        DamagedFileError: The file is damaged, or its tensors do not fit its metadata.
        MissingRecipeError: Its recipe is not installed.
    """
    tensors, metadata = unpack(path)
    try:
        schema = Schema.from_dict(metadata["schema"])
        recipe = recipe_from(metadata["recipe"])
        samples_seen = checked("samples_seen", metadata["samples_seen"], int)
        check_tensors(recipe, schema, metadata["transform"], tensors)
        transform = Chain.from_config(schema, metadata["transform"])
        method = build_method(fitted_recipe(recipe, transform), schema, seed=0)
        transform.load_state_dict(module_tensors("transform", tensors))
        transform.check()
        method.generator.load_state_dict(module_tensors("generator", tensors))
        encoder = (
            read_encoder(path.with_name(ENCODER), method.discriminator, samples_seen)
            if method.prior.codes
            else None
        )
    except MissingRecipeError:
        raise missing_recipe(path.parent, metadata["recipe"]["name"]) from None
    except (RequestError, KeyError, TypeError, ValueError, RuntimeError) as error:
        raise DamagedFileError(
            f"{path} is damaged: its tensors do not fit its metadata: {first_line(error)}"
        ) from None
    if encoder is not None:
        encoder.to(device).eval()
    generator = method.generator.to(device).eval()
    return Sampler(
        generator,
        method.prior,
        recipe,
        schema,
        transform.to(device),
        device,
        samples_seen,
        encoder,
    )


def load_into(sampler: Sampler, path: Path) -> None:
    """Load saved weights into a sampler with the same networks, and its encoder.

    Raises:
        DamagedFileError: The file is damaged.
    """
    saved = load_generator(path, sampler.device)
    sampler.generator.load_state_dict(saved.generator.state_dict())
    if sampler.encoder is not None and saved.encoder is not None:
        sampler.encoder.load_state_dict(saved.encoder.state_dict())
    sampler.samples_seen = saved.samples_seen


def _tensors(generator: nn.Module, transform: Chain) -> dict[str, Tensor]:
    """The tensors of the file, by name."""
    modules = {"generator": generator, "transform": transform}
    return {
        f"{prefix}.{name}": tensor
        for prefix, module in modules.items()
        for name, tensor in module.state_dict().items()
    }


def module_tensors(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors of one module, by their names in it.

    Args:
        prefix: The module's name in the file.
        tensors: Those of all modules, named "prefix.name".
    """
    start = f"{prefix}."
    return {name.removeprefix(start): t for name, t in tensors.items() if name.startswith(start)}


def check_tensors(
    recipe: Recipe, schema: Schema, transform_config: Any, tensors: Mapping[str, Tensor]
) -> None:
    """Check tensors against the recipe's generator and the transforms, on the meta
    device.

    Raises:
        RequestError: A tensor is missing, or has another shape or kind of dtype.
    """
    with torch.device("meta"):
        transform = Chain.from_config(schema, transform_config)
    fitted = fitted_recipe(recipe, transform)
    if network_space(fitted, schema).shape != transform.shape:
        raise RequestError(f"its transforms are not those of {recipe.name}")
    method = outline(fitted, schema)
    expected = _tensors(method.generator, transform)
    for name in expected.keys() | tensors.keys():
        if (
            name not in expected
            or name not in tensors
            or tensors[name].shape != expected[name].shape
        ):
            actual, needed = (
                tuple(some[name].shape) if name in some else "none" for some in (tensors, expected)
            )
            raise RequestError(
                f"its weight {clipped(name)!r} has shape {actual}, and {recipe.name}'s {needed}"
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
    if sizes[1] > MAX_RATIO * (sizes[0] + MAX_RATIO):
        raise RequestError(
            f"its discriminator has {sizes[1]:,} weights, its generator {sizes[0]:,}"
        )


def read_encoder(path: Path, encoder: nn.Module, samples_seen: int) -> nn.Module | None:
    """The encoder that was saved with a generator.

    None if its file is damaged or has other samples seen: sampling works without it.
    """
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

"""What tests of several modules make use of: tiny recipes with what they train on,
states, images in files, answers of commands."""

from __future__ import annotations

import io
import os
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from equipoise.data.arrays import from_array
from equipoise.data.distributions import Gaussian, Ring
from equipoise.data.schema import Schema
from equipoise.data.sources import DistributionSource, RowsSource, Source
from equipoise.errors import RequestError
from equipoise.recipes import catalogue
from equipoise.recipes._building import build_method
from equipoise.recipes.balanced import Balanced
from equipoise.recipes.base import Recipe
from equipoise.recipes.classic import Classic
from equipoise.recipes.method import Method
from equipoise.recipes.wgan_gp import WGANGP
from equipoise.training.state import State
from equipoise.training.workload import Workload, count_workload
from equipoise.transforms.chain import Chain
from equipoise.transforms.clustering import Clustering
from equipoise.transforms.dequantization import Dequantization
from equipoise.transforms.scaling import Scaling, fit_scaling
from equipoise.transforms.space import NetworkSpace

TINY: dict[str, Any] = {
    "samples": 32,
    "batch_size": 16,
    "width": 8,
    "threads": 1,
}  # two steps: enough for all that is not the method
TINY_OPTIONS = ["--samples", "32", "--batch-size", "16", "--width", "8", "--threads", "1"]
TINY_RECIPE = {"batch_size": 16, "width": 8}


@dataclass(frozen=True)
class Answer:
    """What one command gave: exit status, and both outputs."""

    status: int
    out: str
    err: str


def write_tar(path: Path, files: Mapping[str, bytes]) -> Path:
    """A .tar of these files."""
    with tarfile.open(path, "w", format=tarfile.GNU_FORMAT) as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return path


def png(pixels: np.ndarray[Any, Any]) -> bytes:
    """An image, (H, W) or (H, W, C), as a file."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def npy(array: np.ndarray[Any, Any]) -> bytes:
    """An array as a file."""
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def write_image(
    path: Path, mode: str = "RGB", size: tuple[int, int] = (8, 8), seed: int = 0
) -> np.ndarray[Any, Any]:
    """An image of noise in a file, and its pixels."""
    shape = (size[1], size[0]) if mode in ("L", "I;16") else (size[1], size[0], len(mode))
    deep = mode == "I;16"
    pixels = (
        np.random.default_rng(seed)
        .integers(0, 65536 if deep else 256, shape)
        .astype(np.uint16 if deep else np.uint8)
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
    return pixels


def files_below(folder: Path) -> set[str]:
    """Every path below a folder, to see that nothing was written."""
    return {os.path.relpath(path, folder) for path in folder.rglob("*")}


def squares() -> Source:
    """Grey 8 x 8 images of two classes."""
    x = np.random.default_rng(0).integers(0, 256, (80, 8, 8), np.uint8)
    return RowsSource("squares", from_array(x, ["dark", "light"] * 40, "x"), 0)


def tiny_recipes() -> Iterator[tuple[Recipe, Source]]:
    """Every recipe on points and on images, as far as it takes them; classic's D of a
    whole batch; augmented images; spectral normalisation in the default."""
    for source in (DistributionSource(Ring()), squares()):
        for recipe in catalogue().values():
            with suppress(RequestError):  # recipes for images, of points
                yield (
                    recipe.for_data(
                        source.schema, {**TINY_RECIPE, "conditional": recipe.needs_labels}
                    ),
                    source,
                )
        labelled = {**TINY_RECIPE, "conditional": True}
        yield Balanced.for_data(source.schema, labelled), source
        yield Balanced.for_data(source.schema, {**labelled, "packing": 2}), source
    yield Classic(**TINY_RECIPE, discriminator_sees="batch-spread"), DistributionSource(Gaussian())
    augmented = {**TINY_RECIPE, "augment": "color,translation,cutout", "augment_target": 0.6}
    yield Balanced.for_data(source.schema, augmented), source
    spectral = {**TINY_RECIPE, "regularization": "spectral"}
    yield Balanced.for_data(source.schema, spectral), source
    with suppress(RequestError):  # the weights are not installed
        yield Balanced.for_data(source.schema, {**TINY_RECIPE, "photo_features": True}), source
    yield WGANGP.for_data(source.schema, augmented), source
    yield WGANGP.for_data(source.schema, {**TINY_RECIPE, "packing": 4}), source


RECIPES = [
    pytest.param(recipe, source, id=f"{recipe.name} on {source.name}")
    for recipe, source in tiny_recipes()
]


def state_of(recipe: Recipe, source: Source | None = None) -> State:
    """The state that a training of this recipe begins with; on N(4, 1.25) unless a
    source is given."""
    source, cpu = source or DistributionSource(Gaussian()), torch.device("cpu")
    loader = source.loader(recipe.batch_size, fit_scaling(source, recipe.scaling, 0).scaled, cpu, 0)
    return State(build_method(recipe, source.schema, 0), recipe, loader, 0, cpu)


def workload_for(method: Method, recipe: Recipe, schema: Schema) -> Workload:
    """What a step of this recipe costs on data of this schema."""
    labelled = recipe.classes(NetworkSpace.of(schema)) > 0
    return count_workload(method, schema.shape, recipe.batch_size, labelled)


def chain_of(schema: Schema, clustering: Clustering | None = None) -> Chain:
    """A chain that leaves points as they are, and puts bytes onto [-1, 1]."""
    scaling = Scaling(schema.shape, "unit", (0.0, 255.0) if schema.is_image else None)
    if schema.is_image:
        scaling.fit([torch.tensor([0, 255], dtype=torch.uint8).reshape(2, 1, 1, 1)])
    links = [Dequantization(schema), scaling]
    return Chain(links if clustering is None else [*links, clustering])

"""Construct recipes from stored fields, and methods from recipes."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

import torch

from equipoise.coerce import instance
from equipoise.data.loading import Stream, seeded
from equipoise.data.schema import Schema
from equipoise.errors import RequestError, clipped
from equipoise.networks.packing import Packing
from equipoise.networks.seeded_init import SeededInit
from equipoise.recipes import find
from equipoise.recipes.base import Recipe
from equipoise.recipes.method import Method
from equipoise.transforms.chain import Chain
from equipoise.transforms.latent_classes import LatentClasses
from equipoise.transforms.mode_normalization import ModeNormalization
from equipoise.transforms.space import NetworkSpace
from equipoise.transforms.window_space import WindowSpace


def network_space(recipe: Recipe, schema: Schema) -> NetworkSpace:
    """The space of the recipe's networks for data of this schema, with their
    classes."""
    space = NetworkSpace.of(schema, recipe.table_kind)
    return replace(space, classes=recipe.classes(space))


def build_method(recipe: Recipe, schema: Schema, seed: int) -> Method:
    """The recipe's method, with initial weights that depend on the seed alone."""
    with SeededInit(torch.Generator().manual_seed(seeded(seed, Stream.WEIGHTS).initial_seed())):
        return _build(recipe, schema)


def _build(recipe: Recipe, schema: Schema) -> Method:
    """The recipe's method; of tables G has the end that their columns need."""
    space = network_space(recipe, schema)
    method = recipe.build(space)
    if recipe.packing > 1:
        method = _packed(method, recipe, space)
    if space.windows is not None:
        return with_series_output(method, space.windows, recipe.clusters or 0)
    if not space.is_table or recipe.table_kind != "scores":
        return method
    from equipoise.networks.columns import ColumnGenerator

    uniform = method.prior.kind == "uniform"
    generator = ColumnGenerator(
        method.generator, space.spans, recipe.clusters or 1, uniform=uniform
    )
    prior = replace(method.prior, draws=generator.output.noise)
    return replace(method, generator=generator, prior=prior)


def _packed(method: Method, recipe: Recipe, space: NetworkSpace) -> Method:
    """The method with the D that the recipe builds for packs as single samples."""
    size = recipe.packing
    one = replace(recipe, packing=1, batch_size=recipe.batch_size // size)
    discriminator = one.discriminator(
        replace(
            space,
            shape=(size * space.shape[0], *space.shape[1:]),
            classes=size * space.classes,
            spans=space.spans * size,
        )
    )
    packing = Packing(size, space.classes)
    return replace(method, discriminator=discriminator, packing=packing)


def with_series_output(method: Method, windows: WindowSpace, components: int) -> Method:
    """The method with a generator that ends windows where they end. It begins as the
    mixture of so many components where there are any, and a normal latent for each
    number."""
    from equipoise.networks.series import SeriesGenerator

    prior = method.prior
    adds = components > 0 and prior.kind == "normal" and prior.dim >= windows.size
    generator = SeriesGenerator(method.generator, windows, components, adds=adds)
    return replace(method, generator=generator)


def start_from_fit(method: Method, transform: Chain) -> None:
    """Let a generator of tables or series start as the mixture that was fitted to them,
    or with the modes that were found in them."""
    from equipoise.networks.columns import ColumnGenerator
    from equipoise.networks.ctgan import ModeGenerator
    from equipoise.networks.series import SeriesGenerator
    from equipoise.transforms.series_whitening import SeriesWhitening

    generator, first, mixture = method.generator, transform.links[0], transform.clustering
    if isinstance(generator, SeriesGenerator) and isinstance(mixture, SeriesWhitening):
        generator.start_from(mixture)
    if isinstance(generator, ColumnGenerator) and isinstance(mixture, LatentClasses):
        generator.output.start_from(mixture)
    if isinstance(generator, ModeGenerator) and isinstance(first, ModeNormalization):
        generator.possible.copy_(first.possible)


def fitted_recipe(recipe: Recipe, transform: Chain) -> Recipe:
    """The recipe with the fitted number of clusters instead of the requested one.

    Networks are built for it.
    """
    clustering = transform.clustering
    return replace(
        recipe,
        clusters=0 if clustering is None else clustering.count,
        per_channel_clusters=clustering is not None and clustering.per_channel,
    )


def outline(recipe: Recipe, schema: Schema) -> Method:
    """The recipe's method on the meta device: shapes without memory.

    Raises:
        RuntimeError: The networks' construction reads their own weights.
    """
    with SeededInit(torch.Generator()), torch.device("meta"):
        return _build(recipe, schema)


def recipe_to_dict(recipe: Recipe) -> dict[str, Any]:
    """The recipe's name and fields, as files have them."""
    return {"name": recipe.name, **asdict(recipe)}


def recipe_from(stored: dict[str, Any]) -> Recipe:
    """Construct a recipe from its name and fields in a file.

    Raises:
        RequestError: There is no such recipe, or its fields are invalid.
    """
    if not isinstance(stored, dict) or not isinstance(stored.get("name"), str):
        raise RequestError(f"recipe = {clipped(repr(stored))}: has no name")
    return instance(
        find(stored["name"]), {name: value for name, value in stored.items() if name != "name"}
    )

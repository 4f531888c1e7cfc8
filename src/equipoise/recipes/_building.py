"""From a recipe's fields to the recipe, and from a recipe to its method."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch

from equipoise.coerce import instance
from equipoise.data.loading import Stream, seeded
from equipoise.data.schema import Schema
from equipoise.errors import RequestError, clipped
from equipoise.networks.seeded_init import SeededInit
from equipoise.recipes import find
from equipoise.recipes.base import Recipe
from equipoise.recipes.method import Method
from equipoise.transforms.chain import Chain
from equipoise.transforms.space import NetworkSpace


def network_space(recipe: Recipe, schema: Schema) -> NetworkSpace:
    """What the recipe's networks see of data of this schema, and the classes that they
    are conditioned on."""
    space = NetworkSpace.of(schema)
    return replace(space, classes=recipe.classes(space))


def build_method(recipe: Recipe, schema: Schema, seed: int) -> Method:
    """The recipe's method with weights drawn from the seed alone."""
    with SeededInit(torch.Generator().manual_seed(seeded(seed, Stream.WEIGHTS).initial_seed())):
        return recipe.build(network_space(recipe, schema))


def fitted_recipe(recipe: Recipe, transform: Chain) -> Recipe:
    """The recipe with the number of clusters that were fitted, where `recipe` has the
    number that was asked for: what networks are built for."""
    clustering = transform.clustering
    return replace(
        recipe,
        clusters=0 if clustering is None else clustering.count,
        per_channel_clusters=clustering is not None and clustering.per_channel,
    )


def outline(recipe: Recipe, schema: Schema) -> Method:
    """The recipe's method on the meta device: shapes alone, for which no memory is
    taken.

    Raises:
        RuntimeError: For networks that look at their own weights while they are made.
    """
    with SeededInit(torch.Generator()), torch.device("meta"):
        return recipe.build(network_space(recipe, schema))


def recipe_from(stored: dict[str, Any]) -> Recipe:
    """The recipe that a file names, with its fields.

    Raises:
        RequestError: If there is no such recipe, or its fields cannot be.
    """
    if not isinstance(stored, dict) or not isinstance(stored.get("name"), str):
        raise RequestError(f"recipe = {clipped(repr(stored))}: has no name")
    return instance(
        find(stored["name"]), {name: value for name, value in stored.items() if name != "name"}
    )

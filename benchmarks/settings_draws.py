"""Random settings of a recipe, within the ranges that `equipoise sweep` searches."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import optuna

from equipoise.data.factory import open_source
from equipoise.data.schema import Schema
from equipoise.errors import RequestError
from equipoise.recipes import find
from equipoise.recipes.base import Recipe
from equipoise.sweeps.space import Choice, space_of
from equipoise.sweeps.storage import quiet
from equipoise.transforms.space import NetworkSpace

Settings = dict[str, Choice]


@cache
def digits_schema() -> Schema:
    return open_source("mnist").schema


def settings_of(recipe: str, count: int, seed: int) -> list[Settings]:
    """The default setting of a recipe on MNIST, number 0, which is empty, and `count`
    random ones. More of them begin with the same ones.

    A setting that the recipe refuses is drawn anew.
    """
    kind, schema = find(recipe), digits_schema()
    default = kind.for_data(schema, {"conditional": kind.needs_labels})
    networks = NetworkSpace.of(schema, kind.table_kind)
    searched = space_of(
        default, {}, (), lambda name, value: _is_accepted(default, networks, {name: value})
    )
    found: list[Settings] = [{}]
    with quiet():
        study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed))
        while len(found) <= count:
            trial = study.ask()
            drawn = {dimension.name: dimension.suggest(trial) for dimension in searched}
            if _is_accepted(default, networks, drawn):
                found.append(drawn)
    return found


def _is_accepted(default: Recipe, networks: NetworkSpace, settings: Settings) -> bool:
    values: dict[str, Any] = settings
    try:
        replace(default, **values).check(networks)
    except RequestError:
        return False
    return True

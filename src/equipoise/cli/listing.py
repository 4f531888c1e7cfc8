"""`equipoise recipes` and `equipoise datasets`: lists, without heavy imports."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields

from equipoise.cli.options import Datasets, Recipes
from equipoise.cli.output import say
from equipoise.cli.parser import option_of, parse

COLUMN = 12  # characters of a name


def recipes(arguments: Sequence[str]) -> None:
    """equipoise recipes"""
    parse(Recipes, "recipes", arguments)
    from equipoise.recipes import DEFAULT, broken, catalogue

    for name, recipe in catalogue().items():
        default = " (the default of train)" if name == DEFAULT else ""
        print(f"{name:{COLUMN}} {recipe.summary}{default}")
        print(f"{'':{COLUMN}} {recipe.paper}")
    for name, why in broken().items():
        say(f"{name:{COLUMN}} cannot be used: {why}")


def datasets(arguments: Sequence[str]) -> None:
    """equipoise datasets"""
    parse(Datasets, "datasets", arguments)
    from equipoise.data.distributions.univariate import DISTRIBUTIONS, NAMED_SOURCES

    for name, summary in NAMED_SOURCES.items():
        of_source = fields(DISTRIBUTIONS[name]) if name in DISTRIBUTIONS else ()
        settings = ", ".join(option_of(field.name) for field in of_source)
        print(f"{name:{COLUMN}} {summary}{f' ({settings})' if settings else ''}")
    print("\nOr your own: a .npy, .npz, .csv or .parquet file, or a folder of images.")

"""`equipoise recipes` and `equipoise datasets`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import TYPE_CHECKING

from equipoise.cli.options import Datasets, Recipes
from equipoise.cli.output import echo
from equipoise.cli.parser import parse
from equipoise.utils.option_names import option_of

if TYPE_CHECKING:
    from equipoise.data.readers import Reader

# Width of the column of names, in characters.
NAME_WIDTH = 16


def recipes(arguments: Sequence[str]) -> None:
    """equipoise recipes"""
    parse(Recipes, "recipes", arguments)
    from equipoise.recipes import DEFAULT, broken, catalogue

    for name, recipe in catalogue().items():
        default = " (the default of train)" if name == DEFAULT else ""
        print(f"{name:{NAME_WIDTH}} {recipe.summary}{default}")
        print(f"{'':{NAME_WIDTH}} {recipe.paper}")
        if recipe.published_for:
            print(f"{'':{NAME_WIDTH}} --preset paper: for {recipe.published_for}")
    for name, why in broken().items():
        echo(f"{name:{NAME_WIDTH}} cannot be used: {why}")


def datasets(arguments: Sequence[str]) -> None:
    """equipoise datasets"""
    parse(Datasets, "datasets", arguments)
    from equipoise.data import readers
    from equipoise.data.distributions import DISTRIBUTIONS
    from equipoise.data.images import formats
    from equipoise.data.named_sources import NAMED_SOURCES

    for name, summary in NAMED_SOURCES.items():
        of_source = fields(DISTRIBUTIONS[name]) if name in DISTRIBUTIONS else ()
        settings = ", ".join(option_of(field.name) for field in of_source)
        print(f"{name:{NAME_WIDTH}} {summary}{f' ({settings})' if settings else ''}")
    print("\nOr your own data: a folder of images, or a file.")
    print(f"{'folder/':{NAME_WIDTH}} images: {formats.listed()}")
    for reader in sorted(readers.READERS, key=lambda reader: reader.endings):
        print(f"{reader.endings[0]:{NAME_WIDTH}} {reader.summary}{_other_endings(reader)}")


def _other_endings(reader: Reader) -> str:
    return f" (also {', '.join(reader.endings[1:])})" if reader.endings[1:] else ""

"""The parser of each command, for its pages in the reference and for completion."""

from __future__ import annotations

from dataclasses import is_dataclass
from typing import Any

from equipoise.cli import latent_options, options, sweep_options, train_options
from equipoise.cli.parser import OptionsParser, command_parser
from equipoise.errors import RequestError
from equipoise.recipes import DEFAULT, find

# The options of each command that is one dataclass of `options`, by its name.
OPTIONS: dict[str, type[Any]] = {
    name.lower(): found
    for name, found in vars(options).items()
    if is_dataclass(found) and isinstance(found, type) and found.__module__ == options.__name__
}
OPTIONS["film"] = latent_options.Film
# Those of each action of `equipoise latent RUN`.
LATENT: dict[str, type[Any]] = {
    "interpolate": latent_options.Interpolate,
    "directions": latent_options.Directions,
    "invert": latent_options.Invert,
    "nearest": latent_options.Nearest,
}
NAMES = ("train", "sweep", "latent", *OPTIONS)


def parser_of(command: str, *, every_recipe: bool = False) -> OptionsParser:
    """The parser of a command.

    Args:
        command: Its name.
        every_recipe: Of train and sweep whether the options are those of all recipes
            and built-in sources. Default: those of the default recipe.

    Raises:
        RequestError: There is no such command.
    """
    if command == "train":
        if every_recipe:
            return train_options.every_option()
        return train_options.train_parser(find(DEFAULT))
    if command == "sweep":
        if every_recipe:
            return sweep_options.every_option()
        return sweep_options.sweep_parser(find(DEFAULT))
    if command == "latent":
        return OptionsParser(
            command,
            LATENT,
            description="Explore the latents of a trained run.",
            usage=f"equipoise latent RUN {{{','.join(LATENT)}}} [OPTIONS]",
        )
    if command not in OPTIONS:
        raise RequestError(f"no command {command!r}")
    return command_parser(OPTIONS[command], command)

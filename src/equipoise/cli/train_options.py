"""The command line of `equipoise train`, with the settings of recipe, data and run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from equipoise.cli.parser import OptionsParser, option, positional, raise_mistakes
from equipoise.data import readers
from equipoise.data.distributions import DISTRIBUTIONS, Distribution
from equipoise.errors import RequestError
from equipoise.recipes import DEFAULT, catalogue, find
from equipoise.recipes.base import Recipe
from equipoise.runs.settings import RunSettings

USAGE = """equipoise train DATA [OPTIONS]
       equipoise train --resume RUN [OPTIONS]"""
SUMMARY = "Train a GAN on DATA and report how good it is, or resume RUN."
DATA_HELP = (
    f"A built-in source or a folder of images, or a {readers.listed()} file. "
    "See: equipoise datasets."
)


@dataclass(frozen=True)
class Train:
    """The options of a training that are not settings of the run, recipe or data."""

    data: str | None = positional("DATA", "data", None, doc=DATA_HELP)
    recipe: str | None = option(None, "NAME")
    """The method (see: equipoise recipes). Default: balanced, or that of RUN."""
    out: Path | None = option(None, "DIR")
    """The run's directory. Default: the next free name under runs/."""
    resume: str | None = option(None, "RUN", bare="")
    """Resume RUN, or the run in --out. Samples and minutes (totals), device, threads,
    until, evaluate and tracker may change."""
    init_from: Path | None = option(None, "RUN")
    """Start from the weights of RUN, on DATA of the same kind. Optimiser, schedule and
    samples seen start anew."""


@dataclass(frozen=True)
class TrainRequest:
    """A parsed `equipoise train`."""

    data: str | None
    """None for a run that is resumed with its own data."""
    distribution: Distribution | None
    """The distribution that DATA names, if the command line has settings of it."""
    recipe: type[Recipe]
    out: Path | None
    resume: bool
    init_from: Path | None
    choices: dict[str, Any]
    """The settings of recipe and run on the command line, without defaults."""


def parse_train(arguments: Sequence[str], recipe: type[Recipe] | None = None) -> TrainRequest:
    """Read the command line of `train`; --help prints and exits.

    Args:
        arguments: The words after `equipoise train`.
        recipe: The recipe whose settings are options. Default: that of --recipe, else
            that of the run to resume or start from, else the default recipe.

    Raises:
        RequestError: There are mistakes. The message has all of them, in one line.
    """
    options = _parse_selection(arguments)
    if recipe is None:
        earlier = options.out if options.resume is not None else options.init_from
        name = options.recipe or (None if earlier is None else _recorded_recipe(earlier))
        recipe = find(name or DEFAULT)
    distribution = DISTRIBUTIONS.get(options.data or "")
    groups: dict[str, type[Any]] = {
        "options": Train,
        "run settings": RunSettings,
        f"settings of the recipe {recipe.name}": recipe,
    }
    if distribution is not None:
        groups[f"settings of {distribution.name}"] = distribution
    parser = OptionsParser(
        "train",
        groups,
        description=f"{SUMMARY}\n\nRecipe {recipe.name}: {recipe.summary}.\n\n"
        f"Paper: {recipe.paper}.",
        usage=USAGE,
        owner=f"train with the recipe {recipe.name}",
    )
    parsed = parser.parse(arguments)
    mistakes = list(parsed.mistakes)
    of_train, of_run, of_recipe, *of_data = (
        {name: value for name, value in parsed.values.items() if name in _names(settings)}
        for settings in groups.values()
    )
    for settings, values in zip(
        groups.values(), (of_train, of_run, of_recipe, *of_data), strict=True
    ):
        try:
            settings(**values)
        except RequestError as error:
            mistakes.append(str(error))
    raise_mistakes(mistakes)
    train = _resolved(Train(**of_train))
    if train.data is None and train.resume is None:
        raise RequestError("equipoise train needs data: see equipoise train --help")
    return TrainRequest(
        data=train.data,
        distribution=distribution(**of_data[0]) if distribution and of_data[0] else None,
        recipe=recipe,
        out=train.out,
        resume=train.resume is not None,
        init_from=train.init_from,
        choices={**of_run, **of_recipe},
    )


def _parse_selection(arguments: Sequence[str]) -> Train:
    """Parse DATA, recipe and run, which decide the valid options. For this all options
    of all recipes and distributions are accepted."""
    groups = {
        str(i): settings
        for i, settings in enumerate(
            (Train, RunSettings, *catalogue().values(), *DISTRIBUTIONS.values())
        )
    }
    parser = OptionsParser("train", groups, description="", usage="", shows_help=False)
    typed = parser.parse(arguments).values
    return _resolved(
        Train(**{name: value for name, value in typed.items() if name in _names(Train)}),
        help_asked=not {"-h", "--help"}.isdisjoint(arguments),
    )


def _resolved(train: Train, *, help_asked: bool = False) -> Train:
    """The options with the run to resume in `out`.

    It is the value of --resume, the positional argument, or --out. Another positional
    argument is the data.

    Raises:
        RequestError: No run is given.
    """
    if train.resume is None:
        return train
    if train.out is not None:
        if train.resume and train.data is not None:
            raise RequestError(
                f"{train.resume!r} was not expected: --out names the run to resume already"
            )
        return Train(
            train.data or train.resume or None, train.recipe, train.out, "", train.init_from
        )
    run, data = (train.resume, train.data) if train.resume else (train.data, None)
    if run is None and not help_asked:
        raise RequestError("equipoise train --resume needs the run: equipoise train --resume RUN")
    return Train(data, train.recipe, Path(run) if run else None, "", train.init_from)


def _recorded_recipe(run: Path) -> str:
    """The name of an earlier run's recipe."""
    from equipoise.runs.directory import RunDirectory

    name: str = RunDirectory.existing(run).read_config()["recipe"]["name"]
    return name


def _names(settings: type[Any]) -> set[str]:
    return set(settings.__dataclass_fields__)

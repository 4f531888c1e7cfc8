"""The command line of `equipoise train`: recipe, data, run and their settings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from equipoise.cli.parser import OptionsParser, option, positional, raise_mistakes
from equipoise.data import readers
from equipoise.data.distributions import DISTRIBUTIONS, Distribution
from equipoise.errors import RequestError
from equipoise.recipes import DEFAULT, catalogue, find
from equipoise.recipes.base import Recipe
from equipoise.runs.settings import RunSettings
from equipoise.runs.trackers import registry as trackers

if TYPE_CHECKING:
    from equipoise.runs.config import RunConfig

USAGE = """equipoise train DATA [OPTIONS]
       equipoise train --resume RUN [OPTIONS]"""
SUMMARY = "Train a GAN on DATA and report how good it is, or resume RUN."
DATA_HELP = (
    "A built-in source, a folder of images or of the parts of a table, .tar files of "
    "samples (one, a folder of them, or 'shards-{000..009}.tar'), or a "
    f"{readers.listed()} file. "
    "See: equipoise datasets."
)

MAX_PROCESSES = 1024  # of one machine


@dataclass(frozen=True)
class Train:
    """What is typed for a training, without the settings of run, recipe and data."""

    data: str | None = positional("DATA", "data", None, doc=DATA_HELP)
    recipe: str | None = option(None, "NAME")
    """The method (see: equipoise recipes). Default: balanced, or that of RUN."""
    out: Path | None = option(None, "DIR")
    """The directory to keep the run in. Default: the next free name under runs/."""
    resume: str | None = option(None, "RUN", bare="")
    """Go on with RUN, or with the run in --out. Samples and minutes (totals), device,
    threads, until, evaluate and tracker may change."""
    init_from: Path | None = option(None, "RUN")
    """Start from the weights of RUN, on DATA of the same kind. Optimiser, schedule and
    samples seen begin anew."""
    processes: int | None = option(None, "N")
    """Processes of this machine that share each batch, of one thread or with one GPU
    each. Default: 1, or as many as RUN had. On several machines: torchrun
    (docs/scaling.md)."""
    watch: bool = False
    """Show the run in a page of the browser while it trains (docs/studio.md); needs the
    extra studio."""

    def __post_init__(self) -> None:
        if self.processes is not None and not 1 <= self.processes <= MAX_PROCESSES:
            raise RequestError(
                f"processes = {self.processes}: must be from 1 to {MAX_PROCESSES}, such as "
                "the number of cores"
            )


@dataclass(frozen=True)
class TrainRequest:
    """A parsed `equipoise train`."""

    data: str | None
    """None where a run is resumed on its own data."""
    distribution: Distribution | None
    """The one that DATA names, if settings of it were typed."""
    recipe: type[Recipe]
    out: Path | None
    resume: bool
    init_from: Path | None
    choices: dict[str, Any]
    """The settings of recipe and run that were typed, and no others."""
    recorded: RunConfig | None = None
    """The configuration of the run that is resumed or started from."""
    processes: int | None = None
    """That were typed."""
    watch: bool = False

    @property
    def wanted_processes(self) -> int:
        """Processes to train in: those typed, or those of the run that is resumed."""
        if self.processes is not None or not self.resume:
            return self.processes or 1
        from equipoise.runs.directory import RunDirectory

        assert self.out is not None, "a run that is resumed is named"
        config = self.recorded or RunDirectory.existing(self.out).read_config()
        return config.machine.processes


def parse_train(arguments: Sequence[str], recipe: type[Recipe] | None = None) -> TrainRequest:
    """Read the command line of `train`; --help prints and exits.

    Args:
        arguments: What is typed after `equipoise train`.
        recipe: The recipe whose settings are options. Default: the one that --recipe
            names, else that of the run that is resumed or started from, else the
            default one.

    Raises:
        RequestError: On mistakes: all of them, in one line.
    """
    options = _first_look(arguments)
    recorded = None
    if recipe is None and options.recipe is None:
        earlier = options.out if options.resume is not None else options.init_from
        recorded = None if earlier is None else _recorded(earlier)
    if recipe is None:
        named = find(options.recipe or DEFAULT)
        recipe = named if recorded is None else type(recorded.recipe)
    distribution = DISTRIBUTIONS.get(options.data or "")
    parser = train_parser(recipe, distribution)
    parsed = parser.parse(arguments)
    mistakes = list(parsed.mistakes)
    of_train, of_run, of_recipe, *of_data = (
        {name: value for name, value in parsed.values.items() if name in _names(settings)}
        for settings in parser.groups.values()
    )
    for settings, values in zip(
        parser.groups.values(), (of_train, of_run, of_recipe, *of_data), strict=True
    ):
        try:
            settings(**values)
        except RequestError as error:
            mistakes.append(str(error))
    mistakes += trackers.mistakes(of_run.get("tracker"))
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
        recorded=recorded,
        processes=train.processes,
        watch=train.watch,
    )


def train_parser(
    recipe: type[Recipe], distribution: type[Distribution] | None = None
) -> OptionsParser:
    """The parser of `equipoise train` with this recipe, on this built-in
    distribution."""
    groups: dict[str, type[Any]] = {
        "options": Train,
        "run settings": RunSettings,
        f"settings of the recipe {recipe.name}": recipe,
    }
    if distribution is not None:
        groups[f"settings of {distribution.name}"] = distribution
    return OptionsParser(
        "train",
        groups,
        description=f"{SUMMARY}\n\nRecipe {recipe.name}: {recipe.summary}.\n\n"
        f"Paper: {recipe.paper}.",
        usage=USAGE,
        owner=f"train with the recipe {recipe.name}",
    )


def every_option() -> OptionsParser:
    """A parser of `equipoise train` with the options of every recipe and
    distribution."""
    groups = {
        str(i): settings
        for i, settings in enumerate(
            (Train, RunSettings, *catalogue().values(), *DISTRIBUTIONS.values())
        )
    }
    return OptionsParser("train", groups, description="", usage="", shows_help=False)


def _first_look(arguments: Sequence[str]) -> Train:
    """DATA, recipe and run, found with the options of every recipe and distribution:
    which of those are valid depends on them."""
    typed = every_option().parse(arguments).values
    return _resolved(
        Train(**{name: value for name, value in typed.items() if name in _names(Train)}),
        help_asked=not {"-h", "--help"}.isdisjoint(arguments),
    )


def _resolved(train: Train, *, help_asked: bool = False) -> Train:
    """With the run to resume in `out`: it follows --resume, or stands alone, or is
    named by --out; what stands alone besides is the data.

    Raises:
        RequestError: If no run is named.
    """
    if train.resume is None:
        return train
    if train.out is not None:
        if train.resume and train.data is not None:
            raise RequestError(
                f"{train.resume!r} was not expected: --out names the run to resume already"
            )
        return replace(train, data=train.data or train.resume or None, resume="")
    run, data = (train.resume, train.data) if train.resume else (train.data, None)
    if run is None and not help_asked:
        raise RequestError("equipoise train --resume needs the run: equipoise train --resume RUN")
    return replace(train, data=data, out=Path(run) if run else None, resume="")


def _recorded(run: Path) -> RunConfig:
    """The configuration of an earlier run."""
    from equipoise.runs.directory import RunDirectory

    return RunDirectory.existing(run).read_config()


def _names(settings: type[Any]) -> set[str]:
    return set(settings.__dataclass_fields__)

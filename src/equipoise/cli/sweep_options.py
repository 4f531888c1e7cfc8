"""The command line of `equipoise sweep`: data, recipe, what is searched and for how
long."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from equipoise.cli.parser import BOOLEANS, OptionsParser, option, positional, raise_mistakes
from equipoise.cli.train_options import DATA_HELP
from equipoise.cli.values import Mistake, alternatives, converter
from equipoise.coerce import hints
from equipoise.data.distributions import DISTRIBUTIONS, Distribution
from equipoise.errors import RequestError, nearest
from equipoise.recipes import DEFAULT, catalogue, find
from equipoise.recipes.base import Recipe
from equipoise.runs.settings import RunSettings
from equipoise.sweeps.settings import OWN_SETTINGS, SweepSettings

USAGE = """equipoise sweep DATA [OPTIONS]
       equipoise sweep --resume DIR [OPTIONS]"""
SUMMARY = (
    "Search for better settings of a recipe on DATA, beginning with its default. At the end "
    "the best setting and the default are trained with the same fresh seeds, to see how much "
    "of the gain was luck. Every option of a recipe is then the same in all trials."
)
TO = ".."  # between the ends of a range
# Fields of runs that are not options here; `minutes` is the sweep's.
WITHOUT = tuple(name for name in OWN_SETTINGS if name != "minutes")


@dataclass(frozen=True)
class SweepOptions:
    """What is typed for a sweep, without its own settings and those of runs and
    recipes."""

    data: str | None = positional("DATA", "data", None, doc=DATA_HELP)
    recipe: str | None = option(None, "NAME")
    """The method (see: equipoise recipes). Default: balanced."""
    search: tuple[str, ...] = option((), "FIELD=RANGE", repeats=True)
    """What is searched beside the recipe's own ranges, or instead of them:
    learning_rate=1e-4..1e-2 for a range, which is logarithmic from a factor of 10,
    batch_size=32,64,128 for choices, gamma for a field's own range."""
    only: bool = False
    """Search nothing but the fields of --search."""
    out: Path | None = option(None, "DIR")
    """The sweep's folder. Default: the next free name under sweeps/."""
    resume: Path | None = option(None, "DIR")
    """Go on with the sweep in DIR. Workers, minutes and storage may change."""


@dataclass(frozen=True)
class SweepRequest:
    """A parsed `equipoise sweep`: the arguments of `equipoise.sweep`."""

    data: Any
    """A name, a path, or a built-in distribution with its settings."""
    recipe: str | None
    arguments: dict[str, Any]
    """The settings of the sweep, the recipe and the run that were typed."""


def parse_sweep(arguments: Sequence[str]) -> SweepRequest:
    """Read the command line of `sweep`; --help prints and exits.

    Raises:
        RequestError: On mistakes: all of them, in one line.
    """
    first = _first_look(arguments)
    recipe = find(first.recipe or DEFAULT)
    distribution = DISTRIBUTIONS.get(first.data or "")
    parser = sweep_parser(recipe, distribution)
    parsed = parser.parse(arguments)
    mistakes = list(parsed.mistakes)
    taken: set[str] = set()
    typed: list[dict[str, Any]] = []
    for settings in parser.groups.values():
        names = settings.__dataclass_fields__.keys() - taken
        taken |= names
        typed.append({name: value for name, value in parsed.values.items() if name in names})
        try:
            settings(**typed[-1])
        except RequestError as error:
            mistakes.append(str(error))
    options = SweepOptions(**typed[0])
    search = _parsed_search(options.search, recipe, mistakes)
    raise_mistakes(mistakes)
    _check_place(options)
    own = {"search": search, "only": options.only, "resume": options.resume is not None}
    of_sweep, of_run, of_recipe, *of_data = typed[1:]
    data: Any = options.data
    if distribution is not None and of_data[0]:
        data = distribution(**of_data[0])
    where = {"out": options.resume or options.out}
    return SweepRequest(data, options.recipe, {**own, **where, **of_sweep, **of_run, **of_recipe})


def sweep_parser(
    recipe: type[Recipe], distribution: type[Distribution] | None = None
) -> OptionsParser:
    """The parser of `equipoise sweep` with this recipe, on this built-in
    distribution."""
    groups: dict[str, type[Any]] = {
        "options": SweepOptions,
        "sweep settings": SweepSettings,
        "run settings": RunSettings,
        f"settings of the recipe {recipe.name}": recipe,
    }
    if distribution is not None:
        groups[f"settings of {distribution.name}"] = distribution
    return OptionsParser(
        "sweep",
        groups,
        description=f"{SUMMARY}\n\nRecipe {recipe.name}: {recipe.summary}.",
        usage=USAGE,
        owner=f"sweep with the recipe {recipe.name}",
        without=WITHOUT,
    )


def every_option() -> OptionsParser:
    """A parser of `equipoise sweep` with the options of every recipe and
    distribution."""
    settings = (SweepOptions, SweepSettings, RunSettings)
    rest = (*catalogue().values(), *DISTRIBUTIONS.values())
    groups = {str(i): group for i, group in enumerate((*settings, *rest))}
    return OptionsParser("sweep", groups, description="", usage="", shows_help=False)


def _first_look(arguments: Sequence[str]) -> SweepOptions:
    """DATA and the recipe, found with the options of every recipe and distribution:
    which of those are valid depends on them."""
    typed = every_option().parse(arguments).values
    names = SweepOptions.__dataclass_fields__
    return SweepOptions(**{name: value for name, value in typed.items() if name in names})


def _check_place(options: SweepOptions) -> None:
    """Check that there is either data or a sweep to resume.

    Raises:
        RequestError: There are both, or none.
    """
    if options.resume is None and options.data is None:
        raise RequestError("equipoise sweep needs data: see equipoise sweep --help")
    if options.resume is not None and (options.data is not None or options.out is not None):
        extra = options.data if options.data is not None else f"--out {options.out}"
        raise RequestError(f"{extra!r} was not expected: --resume names the sweep already")


def _parsed_search(
    words: Sequence[str], recipe: type[Recipe], mistakes: list[str]
) -> dict[str, Any]:
    """What is searched, as `equipoise.sweep` takes it."""
    found: dict[str, Any] = {}
    known = hints(recipe)
    for word in words:
        name, equals, text = word.partition("=")
        name = name.strip().replace("-", "_")
        if name not in known:
            mistakes.append(
                f"--search: no field {name!r} of {recipe.name!r}: {nearest(name, known)}"
            )
            continue
        low, is_range, high = text.partition(TO)
        parts = [low, high] if is_range else text.split(",")
        values = [_value(name, part.strip(), known[name]) for part in parts] if equals else []
        mistakes += [value.message for value in values if isinstance(value, Mistake)]
        found[name] = None if not equals else tuple(values) if is_range else values
    return found


def _value(name: str, text: str, hint: Any) -> Any:
    """One value of a field, or the mistake in it."""
    if bool in alternatives(hint) and text.lower() in BOOLEANS:
        return BOOLEANS[text.lower()]
    return converter(f"--search {name}", hint, whole=hint)(text)

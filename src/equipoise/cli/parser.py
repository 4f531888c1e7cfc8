"""The command line's options: dataclasses, and how a command line becomes one, with
every mistake told in one line."""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass, make_dataclass
from pathlib import Path
from typing import Annotated, Any

import tyro

from equipoise.coerce import described, hints
from equipoise.data.distributions.univariate import DISTRIBUTIONS, Distribution
from equipoise.errors import RequestError, nearest
from equipoise.recipes import DEFAULT
from equipoise.recipes.base import Recipe
from equipoise.runs.settings import RunSettings

Switch = Annotated[bool, tyro.conf.FlagCreatePairsOff]
ALIASES = {"--until": "--stop-when"}
SWITCHES = (
    "--resume",
    "--json",
    "--inception",
    "--quick",
    "--explain",
    "--help",
    "-h",
)  # options that take no value


@dataclass(frozen=True)
class Train:
    """Train a GAN on DATA and say how good it is, or go on with a RUN.

    equipoise train DATA [OPTIONS] or equipoise train --resume RUN [OPTIONS]
    """

    data: Annotated[tyro.conf.Positional[str | None], tyro.conf.arg(metavar="DATA|RUN")] = None
    """DATA: a built-in source (see: equipoise datasets), a .npy, .npz, .csv or .parquet
    file, a folder of images. RUN: with --resume."""
    recipe: str = DEFAULT
    """The method (see: equipoise recipes); its own settings are below."""
    out: Path | None = None
    """Where to keep the run; left out, the next free name under runs/."""
    resume: Switch = False
    """Go on with RUN, or the run in --out: samples and minutes, as totals, device,
    threads, stop-when and evaluate may change."""
    init_from: Annotated[Path | None, tyro.conf.arg(metavar="RUN")] = None
    """Start from the weights of RUN, on DATA of the same kind; optimiser, schedule and
    samples seen begin anew."""


@dataclass(frozen=True)
class Sample:
    """Draw new samples from a trained run."""

    run: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="RUN")]
    """A run directory."""
    n: Annotated[int | None, tyro.conf.arg(aliases=["-n"])] = None
    """How many; left out, 64 images or 1,000 points, in a .png 10,000 points."""
    label: str | None = None
    """The class to draw, of a run that learned classes."""
    code: str | None = None
    """Codes to set, of a run of the recipe infogan, such as c0=3,u0=-1.5; the others
    are drawn."""
    seed: int | None = None
    """One seed, one result; left out, every draw differs."""
    out: Path | None = None
    """FILE.npy, .npz or .csv for the samples, FILE.png for an image of them; left out,
    points are printed."""


@dataclass(frozen=True)
class Evaluate:
    """Measure a trained run against real data, each figure beside its floor."""

    run: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="RUN")]
    """A run directory."""
    data: str | None = None
    """Data to compare with; left out, what was held out from training."""
    inception: Switch = False
    """Add Inception's FID and KID, by torch-fidelity where it and its weights are
    there."""
    quick: Switch = False
    """Take fewer samples, as after a short training."""
    json: Switch = False
    """Print JSON."""
    explain: Switch = False
    """Say what each metric measures."""


@dataclass(frozen=True)
class Compare:
    """Put several trained runs in one table, and in one page."""

    runs: Annotated[tyro.conf.Positional[tuple[Path, ...]], tyro.conf.arg(metavar="RUN RUN ...")]
    """Run directories."""
    out: Path | None = None
    """FILE.html for a page with their samples and curves."""


@dataclass(frozen=True)
class TrainRequest:
    """A parsed `equipoise train`: `choices` are the settings of recipe and run that
    were typed, and no others; `distribution` the one DATA names, if its settings were
    typed."""

    options: Train
    distribution: Distribution | None
    choices: dict[str, Any]


def parse(options: type[Any], command: str, arguments: Sequence[str]) -> Any:
    """`arguments` as an instance of the dataclass `options`; prints help and exits if
    asked to. Raises RequestError in one line on any mistake."""
    types = hints(options)
    _refuse_unknown(arguments, set(types), command)
    return _tyro(options, command, arguments, types)


def parse_train(arguments: Sequence[str], recipe: type[Recipe]) -> TrainRequest:
    """As `parse`, for `train`: with the settings of the recipe, of the run, and of the
    distribution if DATA names one."""
    arguments = with_run([_without_alias(argument) for argument in arguments])
    distribution = DISTRIBUTIONS.get(positional(arguments) or "")
    groups: dict[str, type[Any]] = {
        "options": Train,
        "run": RunSettings,
        "recipe": recipe,
        **({"distribution": distribution} if distribution else {}),
    }
    types = {group: hints(settings) for group, settings in groups.items()}
    every = {name: hint for of_group in types.values() for name, hint in of_group.items()}
    typed = _refuse_unknown(arguments, set(every), f"train with the recipe {recipe.name}")
    flat = [
        (_title(group, settings), Annotated[settings, tyro.conf.OmitArgPrefixes])
        for group, settings in groups.items()
    ]
    request = make_dataclass("TrainArguments", flat)
    request.__doc__ = (
        f"{Train.__doc__}\n\nRecipe {recipe.name}: {recipe.summary}.\nPaper: {recipe.paper}."
    )
    parsed = _tyro(request, "train", arguments, every)
    options = getattr(parsed, _title("options", Train))
    if options.data is None and not options.resume:
        raise RequestError("equipoise train needs data: see equipoise train --help")
    values = {
        group: vars(getattr(parsed, _title(group, settings))) for group, settings in groups.items()
    }
    given = {
        group: {name: values[group][name] for name in typed if name in types[group]}
        for group in groups
    }
    return TrainRequest(
        options=options,
        distribution=distribution(**given["distribution"])
        if distribution and given["distribution"]
        else None,
        choices={**given["run"], **given["recipe"]},
    )


def with_run(arguments: Sequence[str]) -> list[str]:
    """`--resume RUN` and `RUN --resume` as `--resume --out RUN`, where no --out is
    typed: the run follows --resume, or is what stands alone. What else stands alone is
    the data."""
    given = [part for argument in arguments for part in _apart(argument)]
    if "--resume" not in given or value_of(given, "--out") is not None:
        return given
    alone, after = _alone(given), given.index("--resume") + 1
    if not alone:
        raise RequestError(
            "equipoise train --resume needs the run to go on with: equipoise train --resume RUN"
        )
    at = after if after in alone else alone[0]
    return [*given[:at], *given[at + 1 :], "--out", given[at]]


def _apart(argument: str) -> list[str]:
    """--resume=RUN as two words."""
    return (
        ["--resume", argument.removeprefix("--resume=")]
        if argument.startswith("--resume=")
        else [argument]
    )


def _without_alias(argument: str) -> str:
    option, equals, value = argument.partition("=")
    return ALIASES.get(option, option) + equals + value


def _title(group: str, settings: type[Any]) -> str:
    """The name of a group of options, which heads it in the help."""
    name = getattr(settings, "name", None)
    return f"{group}_{name}".replace("-", "_") if name else f"{group}_settings"


def value_of(arguments: Sequence[str], option: str) -> str | None:
    """The value of an option, wherever it stands; the last one, if it stands there
    twice."""
    for i, argument in reversed(list(enumerate(arguments))):
        if argument == option and i + 1 < len(arguments):
            return arguments[i + 1]
        if argument.startswith(f"{option}="):
            return argument.removeprefix(f"{option}=")
    return None


def positional(arguments: Sequence[str]) -> str | None:
    """The first argument that is neither an option nor the value of one."""
    alone = _alone(arguments)
    return arguments[alone[0]] if alone else None


def _alone(arguments: Sequence[str]) -> list[int]:
    """Where the arguments stand that are neither options nor the value of one."""
    found, before = [], ""
    for place, argument in enumerate(arguments):
        if not argument.startswith("-") and (
            not before.startswith("--") or "=" in before or before in SWITCHES
        ):
            found.append(place)
        before = argument
    return found


def _refuse_unknown(arguments: Sequence[str], known: set[str], command: str) -> list[str]:
    """The names of the options typed.

    Raises:
        RequestError: If one is not known.
    """
    typed = [
        a.split("=")[0].removeprefix("--").replace("-", "_")
        for a in arguments
        if re.match(r"--[a-zA-Z]", a)
    ]
    for name in typed:
        if name not in known and name != "help":
            raise RequestError(
                f"no option --{name.replace('_', '-')} of {command}: {_nearest_option(name, known)}"
            )
    return typed


def _nearest_option(name: str, known: set[str]) -> str:
    return nearest(
        f"--{name.replace('_', '-')}", [f"--{option.replace('_', '-')}" for option in known]
    )


def _tyro(options: type[Any], command: str, arguments: Sequence[str], types: dict[str, Any]) -> Any:
    told = io.StringIO()
    try:
        with contextlib.redirect_stderr(told):
            return tyro.cli(options, prog=f"equipoise {command}", args=list(arguments))
    except SystemExit as stop:
        if not stop.code:
            raise
    raise RequestError(_one_line(told.getvalue(), command, arguments, types))


def _one_line(box: str, command: str, arguments: Sequence[str], types: dict[str, Any]) -> str:
    """What tyro says in a box, in a line: which option, what was given, what would be
    right."""
    text = _said(box)
    if re.match(
        r"Error parsing [^-]", text
    ):  # what a dataclass of settings refused, with its own remedy
        return text.split(": ", 1)[-1]
    if text.startswith("Missing from"):
        return (
            f"equipoise {command} needs {'a run directory' if 'run' in types else 'data'}: "
            f"see equipoise {command} --help"
        )
    if text.startswith("Unrecognized"):
        return (
            f"{text.removeprefix('Unrecognized options: ')!r} was not expected: see "
            f"equipoise {command} --help"
        )
    option = re.search(r"--?[a-z][\w-]*", text)
    name = option[0].strip("-").replace("-", "_") if option else ""
    if option and name in types:
        given = value_of(arguments, option[0])
        return (
            f"{option[0]} {'= ' + repr(given) if given is not None else 'has no value'}: "
            f"must be {described(types[name])}"
        )
    return f"{text}: see equipoise {command} --help"


def _said(box: str) -> str:
    """What stands in a box of tyro's before its first rule; where the output is not
    UTF-8 its title has a rule of its own, and no frame."""
    lines = [line.strip("│ ") for line in box.splitlines() if not line.startswith(("╭", "╰"))]
    rules = [i for i, line in enumerate(lines) if line and not line.strip("─-")]
    begin = 0 if box.startswith("╭") or not rules else rules.pop(0) + 1
    return " ".join(line for line in lines[begin : rules[0] if rules else None] if line)

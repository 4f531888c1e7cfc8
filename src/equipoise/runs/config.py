"""The configuration of a run: config.json as one object.

It is read once, validated, and passed on. What the user gave (`requested`) stands apart
from what follows from it and from the data.
"""

from __future__ import annotations

import platform
import shlex
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import torch

from equipoise import __version__
from equipoise.coerce import (
    Interval,
    all_checked,
    checked,
    hints,
    instance,
    raise_mistakes,
    validate,
)
from equipoise.data import readers
from equipoise.data.description import DataDescription
from equipoise.errors import RequestError, clipped, first_line, nearest
from equipoise.recipes import MissingRecipeError, broken
from equipoise.recipes._building import recipe_from, recipe_to_dict
from equipoise.recipes.base import Recipe
from equipoise.runs.serialization import FORMAT, DamagedFileError, read_json, write_json
from equipoise.runs.settings import (
    IMAGE_SETTINGS,
    MAX_PROCESSES,
    MAX_THREADS,
    RunSettings,
    merged,
)
from equipoise.runs.trackers import registry as trackers

# Settings of a run that say how data is read: `data_arguments` has them.
DATA_SETTINGS = ("label_column", "series", "time", "columns", "constraints", *IMAGE_SETTINGS)
HELD_OUT_RULE = "the source's test split, or a seeded tenth, at most 10,000"


@dataclass(frozen=True)
class Requested:
    """The settings that the user gave, by name; all others are defaults, or follow from
    the data."""

    recipe: dict[str, Any] = field(default_factory=dict)
    run: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, recipe: type[Recipe], settings: Mapping[str, Any]) -> Requested:
        """Keywords, or what was typed, checked and split.

        Args:
            recipe: The recipe that settings may be of.
            settings: Of the recipe and of the run, by name.

        Raises:
            RequestError: With all names that are neither's, or else all values of
                another type, in one line.
        """
        if settings.get("columns") is not None or settings.get("constraints") is not None:
            settings = {**settings, **_of_tables(settings)}
        of_recipe, of_run = hints(recipe), hints(RunSettings)
        known = of_recipe | of_run
        raise_mistakes(
            [
                f"no setting {name!r} of the recipe {recipe.name!r} or of a run: "
                f"{nearest(name, known)}"
                for name in settings
                if name not in known
            ]
            + trackers.mistakes(settings.get("tracker"))
        )
        values = all_checked(settings, known)
        return cls(
            {name: value for name, value in values.items() if name in of_recipe},
            {name: value for name, value in values.items() if name in of_run},
        )

    def updated(self, now: Requested) -> Requested:
        """These with those given now; a new length of the run replaces the old one."""
        return Requested({**self.recipe, **now.recipe}, merged(self.run, now.run))

    @classmethod
    def from_dict(cls, stored: Any, recipe: type[Recipe]) -> Requested:
        """The settings from JSON.

        Raises:
            RequestError: A name is not a setting, or a value cannot be one.
        """
        parts: dict[str, type[Any]] = {"recipe": recipe, "run": RunSettings}
        stored = _object("requested", stored)
        if unknown := stored.keys() - parts.keys():
            raise RequestError(
                f"requested = {clipped(repr(stored))}: has no {clipped(repr(unknown.pop()))}"
            )
        found: dict[str, dict[str, Any]] = {}
        for part, settings in parts.items():
            given, known = _object(f"requested {part}", stored.get(part)), hints(settings)
            if unknown := given.keys() - known.keys():
                raise RequestError(f"requested {part}: has no {clipped(repr(unknown.pop()))}")
            found[part] = {name: checked(name, value, known[name]) for name, value in given.items()}
        return cls(**found)


@dataclass(frozen=True)
class InitFrom:
    """The training whose weights a run started from."""

    run: str | None
    """Its directory; None for one in memory."""
    generator: str
    """SHA-256 of its generator."""


@dataclass(frozen=True)
class Machine:
    """What a run was computed on, and how."""

    device: str
    threads: Annotated[int, Interval(1, MAX_THREADS)]
    precision: Literal["float32", "bfloat16"]
    compiled: bool
    """Whether the training step was compiled."""
    processes: Annotated[int, Interval(1, MAX_PROCESSES)] = 1
    """The processes that shared each batch; threads are of each."""
    processor: str = field(default_factory=lambda: platform.processor() or platform.machine())

    def __post_init__(self) -> None:
        validate(self)


def _versions() -> dict[str, str]:
    return {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": np.__version__,
    }


@dataclass(frozen=True, kw_only=True)
class RunConfig:
    """Every setting of a run, what it was trained on and with; see docs/files.md."""

    requested: Requested
    """What the user set."""
    recipe: Recipe
    """The recipe with the defaults for this data."""
    settings: RunSettings
    data: DataDescription
    transform: tuple[dict[str, Any], ...]
    """The settings of the transforms, in their order."""
    notes: tuple[str, ...]
    """What was noticed about the data, a line each."""
    machine: Machine
    init_from: InitFrom | None = None
    equipoise: str = __version__
    """The version of Equipoise."""
    versions: dict[str, str] = field(default_factory=_versions)
    command: tuple[str, ...] = field(default_factory=lambda: tuple(sys.argv))

    @property
    def data_arguments(self) -> str:
        """The data as arguments of `equipoise train`, with its columns of labels, ids
        and times, and the option to learn labels that would be left aside; empty for
        data, or labels, that came in Python."""
        data, settings = self.data, self.settings
        if data.in_python:
            return ""
        name = data.origin or data.name
        words = [shlex.quote(name)]
        for setting in () if data.distribution is None else fields(data.distribution):
            value = getattr(data.distribution, setting.name)
            if value != setting.default:
                values = value if isinstance(value, tuple | list) else (value,)
                words += [f"--{setting.name.replace('_', '-')}", *map(str, values)]
        roles = {
            "--label-column": settings.label_column,
            "--series": settings.series,
            "--time": settings.time,
        }
        for option, column in roles.items():
            words += [] if column is None else [option, shlex.quote(column)]
        if settings.columns is not None:
            words += _columns_argument(self.command)
        for text in settings.constraints or ():
            words += ["--constraints", shlex.quote(text)]
        words += _image_arguments(settings)
        # Labels of a file are always learned.
        if self.recipe.conditional and readers.find(name) is None:
            words.append("--conditional")
        return " ".join(words)

    def to_dict(self) -> dict[str, Any]:
        """The content of config.json."""
        validation = "a seeded half of it" if self.settings.has_validation else "none"
        return {
            "equipoise": self.equipoise,
            "recipe": recipe_to_dict(self.recipe),
            "run": asdict(self.settings),
            "requested": asdict(self.requested),
            "init_from": None if self.init_from is None else asdict(self.init_from),
            "data": self.data.to_dict(),
            "transform": self.transform,
            "held_out": {
                "seed": self.settings.seed_of_split,
                "rule": HELD_OUT_RULE,
                "validation": validation,
            },
            "notes": self.notes,
            "machine": asdict(self.machine),
            "versions": self.versions,
            "command": self.command,
        }

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> RunConfig:
        """The configuration that `to_dict` wrote, through JSON.

        Raises:
            RequestError: It is not valid.
            MissingRecipeError: Its recipe is not installed here.
        """
        recipe = recipe_from(_object("recipe", stored.get("recipe")))
        links = stored.get("transform")
        versions = _object("versions", stored.get("versions"))
        init_from = stored.get("init_from")
        return cls(
            requested=Requested.from_dict(stored.get("requested"), type(recipe)),
            recipe=recipe,
            settings=instance(RunSettings, _object("run", stored.get("run"))),
            data=DataDescription.from_dict(_object("data", stored.get("data"))),
            transform=tuple(
                _object("transform", link)
                for link in (links if isinstance(links, list) else [links])
            ),
            notes=checked("notes", stored.get("notes"), tuple[str, ...]),
            machine=instance(Machine, _object("machine", stored.get("machine"))),
            init_from=None if init_from is None else instance(InitFrom, init_from),
            equipoise=checked("equipoise", stored.get("equipoise"), str),
            versions={name: checked(name, value, str) for name, value in versions.items()},
            command=checked("command", stored.get("command"), tuple[str, ...]),
        )

    def write(self, file: Path) -> None:
        """Write config.json."""
        write_json(file, {"format": FORMAT, **self.to_dict()})

    @classmethod
    def read(cls, file: Path) -> RunConfig:
        """The configuration in config.json.

        Raises:
            DamagedFileError: The file is not one.
            MissingRecipeError: Its recipe is not installed here.
        """
        stored = read_json(file)
        for name in ("recipe", "run", "data"):
            if not isinstance(stored.get(name), dict):
                raise DamagedFileError(f"{file} has no {name}: it is not what was written")
        try:
            return cls.from_dict(stored)
        except MissingRecipeError:
            raise missing_recipe(file.parent, stored["recipe"]["name"]) from None
        except RequestError as error:
            raise DamagedFileError(f"{file} is not what was written: {first_line(error)}") from None


def _object(name: str, value: Any) -> dict[str, Any]:
    """The value, if it is a JSON object.

    Raises:
        RequestError: If not.
    """
    if not isinstance(value, dict):
        raise RequestError(f"{name} = {clipped(repr(value))}: must be settings by name")
    return value


def missing_recipe(run: Path, name: str) -> MissingRecipeError:
    """The error for a run whose recipe is another package's, which is not installed or
    cannot be imported."""
    shown = clipped(repr(name))
    if name in broken():
        return MissingRecipeError(
            f"{run} was trained with the recipe {shown}, which cannot be used: {broken()[name]}"
        )
    return MissingRecipeError(
        f"{run} was trained with the recipe {shown}, which is not installed here: install the "
        "package that provides it"
    )


def _of_tables(settings: Mapping[str, Any]) -> dict[str, Any]:
    """What is said of a table, checked, and read where it is a file."""
    from equipoise.data.tables.column_file import given_columns, given_constraints

    columns = settings.get("columns")
    constraints = given_constraints(columns, settings.get("constraints"))
    return {
        **({} if columns is None else {"columns": given_columns(columns)}),
        **({"constraints": constraints} if constraints else {}),
    }


def _columns_argument(command: tuple[str, ...]) -> list[str]:
    """The file of columns as it was typed; empty where columns came in Python."""
    for word, after in pairwise((*command, "")):
        name, equals, value = word.partition("=")
        if name == "--columns" and (given := value if equals else after):
            return ["--columns", shlex.quote(given)]
    return []


def _image_arguments(settings: RunSettings) -> list[str]:
    """How images are read, as arguments of `equipoise train`."""
    words = []
    for name in IMAGE_SETTINGS:
        value = getattr(settings, name)
        if isinstance(value, bool):
            words += [f"--{name}"] if value else ["--no-alpha"] if name == "alpha" else []
        elif value:
            words += [f"--{name}", str(value)]
    return words

"""The beginning of a sweep: data and settings are checked, and its folder is made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from typing import Any

from equipoise.api import GAN
from equipoise.coerce import raise_mistakes
from equipoise.data.distributions import distribution_settings
from equipoise.errors import EquipoiseError, RequestError
from equipoise.recipes import DEFAULT, find
from equipoise.recipes.base import Recipe
from equipoise.runs.config import Requested
from equipoise.runtime.device import resolve_device
from equipoise.sweeps.config import SweepConfig, versions
from equipoise.sweeps.settings import OWN_SETTINGS, SweepSettings
from equipoise.sweeps.space import Choice, space_of
from equipoise.sweeps.storage import Storage, without_password
from equipoise.training.trainer import Trainer
from equipoise.transforms.space import NetworkSpace
from equipoise.utils.system import usable_cores

SWEEPS = Path("sweeps")
# Held-out samples of which half are for choosing.
MIN_HELD_OUT = 20


@dataclass(frozen=True)
class Asked:
    """What a user asks a sweep for, besides its settings."""

    data: Any
    labels: Any
    recipe: str | None
    settings: Mapping[str, Any]
    """Fields of the recipe and settings of the run that all trials have."""
    search: Mapping[str, Any] = field(default_factory=dict)
    only: bool = False


def begin(
    asked: Asked, settings: SweepSettings, out: str | Path | None
) -> tuple[Path, SweepConfig]:
    """Check everything, and make the sweep's folder and its study.

    Returns:
        The folder and the configuration in it.

    Raises:
        RequestError: Data or settings are wrong. Nothing has been written then.
    """
    raise_mistakes(
        [f"{name}: {text}" for name, text in OWN_SETTINGS.items() if name in asked.settings]
    )
    if isinstance(asked.data, Iterator):
        raise RequestError(
            "data is an iterator that ends, and a sweep reads it for each trial: give a list"
        )
    if out is not None and Path(out).exists():
        raise RequestError(
            f"out = {str(out)!r} exists: resume the sweep in it, or give another folder"
        )
    config = _config(asked, settings, opened(asked))
    check_workers(config)
    url = settings.storage
    if url is not None:  # before anything is written
        there = Storage(url, config.name).create(config.agreed_with_length(), config.known)
        config = config if there is None else _joined(config, there)
        config = config.with_settings({"storage": without_password(url)})
    folder = _folder(None if out is None else Path(out), config.name)
    config.write(folder)
    return folder, config if url is None else config.with_settings({"storage": url})


def check_workers(config: SweepConfig) -> None:
    """Check that the processes have the data.

    Raises:
        RequestError: There are several, or a storage that others share, and the data
            came in Python.
    """
    settings = config.settings
    if config.data is None and ((settings.workers or 1) > 1 or settings.storage is not None):
        given = "storage" if settings.storage is not None else f"workers = {settings.workers}"
        raise RequestError(
            f"{given}: other processes do not have data that came in Python: give a path or a "
            "name, or leave it out"
        )


def opened(asked: Asked) -> Trainer:
    """A trainer of the default setting, which shows that it can be trained, and has the
    data.

    Raises:
        RequestError: The data or the settings are wrong.
    """
    gan = GAN(asked.recipe, **asked.settings, validation=True)
    return gan.trainer(asked.data, asked.labels, to_disk=False, warn=lambda _: None)


def _config(asked: Asked, settings: SweepSettings, trainer: Trainer) -> SweepConfig:
    """The configuration for this data.

    Raises:
        RequestError: There is nothing to search, or too little data or time.
    """
    source, recipe, kind = trainer.source, trainer.recipe, find(asked.recipe or DEFAULT)
    if source.test_rows is not None and source.test_rows < MIN_HELD_OUT // 2:
        raise RequestError(
            f"{source.name} has {2 * source.test_rows} held-out samples, of which half are to "
            f"choose by: a sweep needs at least {MIN_HELD_OUT}, so give at least "
            f"{10 * MIN_HELD_OUT} samples"
        )
    space = space_of(
        recipe,
        asked.search,
        asked.settings,
        lambda name, value: _accepts(recipe, trainer, name, value),
        only=asked.only,
    )
    data = trainer.config.data
    in_python = data.in_python
    workers = settings.workers or _default_workers(trainer, kind, in_python)
    return SweepConfig(
        settings=replace(settings, workers=workers),
        recipe=kind.name,
        requested=Requested.of(kind, asked.settings),
        length=settings.length(workers),
        space=space,
        default={dimension.name: getattr(recipe, dimension.name) for dimension in space},
        metric=trainer.evaluator.suite.primary.metrics[0].key,
        data_name=source.name,
        data=None if in_python else data.origin or data.name,
        distribution=None
        if data.distribution is None
        else distribution_settings(data.distribution),
        data_arguments=trainer.config.data_arguments,
        fingerprint=data.fingerprint,
        versions=versions(),
    )


def _accepts(recipe: Recipe, trainer: Trainer, name: str, value: Choice) -> bool:
    """Whether the recipe takes a value of a field beside its defaults."""
    try:
        value_of_field: dict[str, Any] = {name: value}
        changed = replace(recipe, **value_of_field)
        changed.check(NetworkSpace.of(trainer.source.schema, recipe.table_kind))
    except RequestError:
        return False
    return True


def _default_workers(trainer: Trainer, recipe: type[Recipe], in_python: bool) -> int:
    """Processes of this machine: one for each core, but one alone for a GPU, and where
    others would lack the data or the recipe."""
    is_own = recipe.__module__.startswith("equipoise.")
    on_cpu = resolve_device(trainer.settings.device).type == "cpu"
    return usable_cores() if on_cpu and is_own and not in_python else 1


def _joined(config: SweepConfig, there: Mapping[str, Any]) -> SweepConfig:
    """The configuration of a sweep that is in the storage already, for this machine.

    Raises:
        RequestError: It is another sweep.
    """
    theirs, ours = dict(there), config.agreed_with_length()
    length = theirs.pop("length", None)
    ours.pop("length")
    if theirs != ours:
        differing = [name for name in ours if theirs.get(name) != ours[name]]
        raise RequestError(
            f"the storage has a sweep {config.name!r} with other {' and '.join(differing)}: give "
            "the same command to join it, or another name"
        )
    if not isinstance(length, dict):
        raise EquipoiseError(f"the sweep {config.name!r} in the storage has no length of trials")
    return replace(config, length=length)


def _folder(path: Path | None, stem: str) -> Path:
    """A new folder, at `path` or at the next free name under sweeps/.

    Raises:
        EquipoiseError: It cannot be made.
    """
    candidates = (SWEEPS / f"{stem}-{number}" for number in count()) if path is None else [path]
    for candidate in candidates:
        try:
            candidate.mkdir(parents=True)
        except FileExistsError:  # the name is taken
            if path is None:
                continue
            raise RequestError(f"out = {str(path)!r} exists: give another folder") from None
        except OSError as error:
            raise EquipoiseError(f"{candidate} could not be created: {error.strerror}") from error
        return candidate
    raise AssertionError("there is always a next name")

"""Which trackers there are: those of this package, a file each, and those of other
packages, by entry points in the group "equipoise.trackers".

An entry point names a class that was registered by `base.register`. One that cannot be
loaded is left out, and a request for it says why.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from pkgutil import iter_modules

from equipoise.errors import RequestError, nearest
from equipoise.runs.trackers.base import TRACKERS, Tracker
from equipoise.utils.plugins import import_failure, origin

ENTRY_POINTS = "equipoise.trackers"
PACKAGE = "equipoise.runs.trackers"
_BROKEN: dict[str, str] = {}


def catalogue() -> Mapping[str, Callable[[Path], Tracker]]:
    """Every tracker by its name, those of other packages among them."""
    _load()
    return TRACKERS


def broken() -> Mapping[str, str]:
    """Why trackers of entry points cannot be used: a line each, by the entry point's
    name."""
    _load()
    return _BROKEN


def names(tracker: str) -> list[str]:
    """The names in a setting such as "tensorboard,mlflow", each once."""
    return list(dict.fromkeys(name.strip() for name in tracker.split(",")))


def mistakes(tracker: object) -> list[str]:
    """What is wrong with a value of the setting `tracker`, a line for each name."""
    if not isinstance(tracker, str):  # no tracker; other types are refused as such
        return []
    return [
        f"tracker = {name!r}: cannot be used: {broken()[name]}"
        if name in broken()
        else f"tracker = {name!r}: {nearest(name, catalogue())}"
        for name in names(tracker)
        if name not in catalogue()
    ]


def make(tracker: str, run: Path) -> dict[str, Tracker]:
    """The trackers that a setting names, for the run in a directory.

    Raises:
        RequestError: There is none of that name, or what it needs is not here.
    """
    if wrong := mistakes(tracker):
        raise RequestError("; ".join(wrong))
    return {name: catalogue()[name](run) for name in names(tracker)}


@cache
def _load() -> None:
    """Import every file of this package, and every entry point."""
    for module in iter_modules(import_module(PACKAGE).__path__):
        import_module(f"{PACKAGE}.{module.name}")
    for point in entry_points(group=ENTRY_POINTS):
        if wrong := _load_plugin(point):
            _BROKEN[point.name] = wrong


def _load_plugin(point: EntryPoint) -> str:
    """Import what an entry point names.

    Returns:
        Why it cannot be used; empty where it can. Nothing of it stays registered then.
    """
    known = dict(TRACKERS)
    try:
        loaded = point.load()
    except (Exception, SystemExit) as error:  # whatever another package's import raises
        wrong = import_failure(point, error)
    else:
        if any(tracker is loaded for tracker in TRACKERS.values()):
            return ""
        wrong = f"{origin(point)} is not a class registered as a tracker"
    TRACKERS.clear()
    TRACKERS.update(known)
    return wrong

"""What a tracker is."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal, Protocol, TypeVar

from equipoise.errors import RequestError

PROJECT = "equipoise"
"""The project, or experiment, of runs where the service's own variables name none."""
ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
Status = Literal["finished", "stopped", "failed"]
"""How a training ended: as it was meant to, stopped from outside, or it could not go
on."""


class Tracker(Protocol):
    """The methods of a tracker. `step` is in real samples seen.

    Its constructor gets the run's directory, and says by a RequestError what is missing
    here. All other methods are called in the order of time by a thread of the tracker's
    own, which may wait for a network. What they raise becomes a warning, and training
    goes on.
    """

    def start(self, step: int, config: Mapping[str, Any]) -> None:
        """Begin, or go on with what this directory's run began in the service.

        Args:
            step: Where the training is: 0, or more where it is resumed.
            config: Settings of recipe and run, data, machine and versions: JSON by
                section and name.
        """

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        """Record numbers by name: losses, and metrics as "metrics/coverage"."""

    def text(self, step: int, name: str, text: str) -> None:
        """Record a message, for example about a collapse, or the verdict."""

    def image(self, step: int, name: str, path: Path) -> None:
        """Record a PNG file."""

    def close(self, status: Status) -> None:
        """End, so that everything is kept."""


T = TypeVar("T", bound=Callable[[Path], Tracker])
TRACKERS: dict[str, Callable[[Path], Tracker]] = {}


def register(name: str) -> Callable[[T], T]:
    """Class decorator: register a tracker under a name.

    Raises:
        RequestError: The name is taken, or has a comma.
    """

    def add(tracker: T) -> T:
        if "," in name or not name.strip() or TRACKERS.setdefault(name, tracker) is not tracker:
            raise RequestError(f"the name of a tracker {name!r}: is taken, or cannot be one")
        return tracker

    return add


def require(package: str, title: str, extra: str) -> None:
    """Check that a package is installed.

    Raises:
        RequestError: It is not.
    """
    if find_spec(package) is None:
        raise RequestError(f"tracker = {extra!r} needs {title}: pip install 'equipoise[{extra}]'")


@contextmanager
def without_usage_data(variable: str, value: str) -> Iterator[None]:
    """While a service's package is loaded: it does not report to its makers how it is
    used, unless the user has set the variable that says so."""
    if variable in os.environ:
        yield
        return
    os.environ[variable] = value
    try:
        yield
    finally:
        os.environ.pop(variable, None)


def flat(config: Mapping[str, Any]) -> dict[str, Any]:
    """Settings by "section.name"."""
    return {
        f"{section}.{name}": value
        for section, values in config.items()
        for name, value in values.items()
    }


def kept_id(run: Path, tracker: str) -> str | None:
    """The id that a tracker has given this run, as `keep_id` kept it; None where there
    is none.

    Raises:
        DamagedFileError: The file is not what was written.
    """
    from equipoise.runs.serialization import DamagedFileError, read_json

    file = _id_file(run, tracker)
    if not file.exists():
        return None
    found = read_json(file).get("id")
    if not isinstance(found, str) or not ID.fullmatch(found):
        raise DamagedFileError(f"{file} has no id: remove it to begin a new run of {tracker}")
    return found


def keep_id(run: Path, tracker: str, identifier: str) -> str:
    """Keep the id of this run, so that it goes on under it when it is resumed.

    Returns:
        The same.
    """
    from equipoise.runs.serialization import FORMAT, write_json

    write_json(_id_file(run, tracker), {"format": FORMAT, "id": identifier})
    return identifier


def new_id() -> str:
    """An id that no other run has."""
    return secrets.token_hex(8)


def _id_file(run: Path, tracker: str) -> Path:
    return run / f"tracker-{tracker}.json"

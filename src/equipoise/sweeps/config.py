"""sweep.json: what a sweep searches, on what data and for how long."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from equipoise import __version__
from equipoise.coerce import as_json, instance
from equipoise.data.distributions import DISTRIBUTIONS, Distribution
from equipoise.errors import RequestError, first_line
from equipoise.recipes import find
from equipoise.runs.config import Requested
from equipoise.runs.serialization import FORMAT, DamagedFileError, read_json, write_json
from equipoise.sweeps.settings import SweepSettings
from equipoise.sweeps.space import Dimension, Space

FILE = "sweep.json"


@dataclass(frozen=True, kw_only=True)
class SweepConfig:
    """All that a worker must know, and all that several machines must agree on."""

    settings: SweepSettings
    recipe: str
    requested: Requested
    """The settings of recipe and run that the user set, which all trials have."""
    length: dict[str, float]
    """The length of each trial: "samples" or "minutes" of its run."""
    space: Space
    default: dict[str, Any]
    """The defaults of the fields that are searched."""
    metric: str
    """The key of the metric by which settings are compared."""
    data_name: str
    data: str | None
    """The name or path to open the data by; None for data in Python."""
    distribution: dict[str, Any] | None = None
    """The parameters of a built-in distribution."""
    data_arguments: str = ""
    """The data as arguments of `equipoise train`; empty for data in Python."""
    fingerprint: str = ""
    """A hash of the data."""
    equipoise: str = __version__
    versions: dict[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The sweep's name in the storage."""
        return self.settings.name or f"{self.data_name}-{self.recipe}"

    @property
    def seed(self) -> int:
        """The seed of the trials."""
        return int(self.requested.run.get("seed", 0))

    @property
    def known(self) -> dict[str, Any]:
        """The default of each field whose search has it."""
        return {
            dimension.name: self.default[dimension.name]
            for dimension in self.space
            if dimension.has(self.default[dimension.name])
        }

    def opened(self, data: Any) -> Any:
        """What trials are given as data: that which came in Python, or its name."""
        if self.data is None or data is not None:
            return data
        if self.distribution is None:
            return self.data
        known: type[Distribution] = DISTRIBUTIONS[self.data_name]
        return known(**self.distribution)

    def with_settings(self, given: Mapping[str, Any]) -> SweepConfig:
        """This with other settings of the sweep."""
        return replace(self, settings=replace(self.settings, **given))

    def agreed_with_length(self) -> dict[str, Any]:
        """What several machines must agree on, and the length of trials, which follows
        from the workers of the first, as JSON."""
        stored = self.to_dict()
        for name in ("equipoise", "versions", "data", "data_arguments"):
            del stored[name]
        for name in ("workers", "storage", "minutes"):
            del stored["settings"][name]
        return stored

    def to_dict(self) -> dict[str, Any]:
        """The content of sweep.json."""
        stored: dict[str, Any] = as_json(asdict(self))
        return stored

    def write(self, folder: Path) -> None:
        """Write sweep.json."""
        write_json(folder / FILE, {"format": FORMAT, **self.to_dict()})

    @classmethod
    def read(cls, folder: Path) -> SweepConfig:
        """The configuration in a sweep's folder.

        Raises:
            RequestError: It is not one.
            DamagedFileError: sweep.json is not what was written.
        """
        if not (folder / FILE).is_file():
            raise RequestError(f"{folder} is not a sweep: it has no {FILE}")
        stored = read_json(folder / FILE)
        stored.pop("format")
        try:
            return cls.from_dict(stored)
        except (RequestError, KeyError, TypeError) as error:
            text = first_line(error)
            raise DamagedFileError(f"{folder / FILE} is not what was written: {text}") from None

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> SweepConfig:
        """The configuration that `to_dict` wrote, through JSON."""
        recipe = find(stored["recipe"])
        settings = instance(SweepSettings, stored["settings"])
        requested = Requested.from_dict(stored["requested"], recipe)
        space = tuple(instance(Dimension, dimension) for dimension in stored["space"])
        return instance(cls, dict(stored), settings=settings, requested=requested, space=space)


def versions() -> dict[str, str]:
    """The versions that a sweep depends on."""
    import optuna
    import torch

    return {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "optuna": optuna.__version__,
    }

"""The description of a data set: what config.json records of it, and what is needed to
open it again and to tell whether it has changed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from equipoise.coerce import checked, instance
from equipoise.data.distributions import DISTRIBUTIONS, Distribution, distribution_settings
from equipoise.data.schema import Schema
from equipoise.errors import RequestError, clipped, nearest


@dataclass(frozen=True)
class DataDescription:
    """What a source says of itself."""

    name: str
    origin: str | None
    """The name or path that it can be opened again by; None for data that came in
    Python."""
    fingerprint: str
    """A hash of the content."""
    schema: Schema
    limits: tuple[float, float] | None
    """The smallest and largest values that an image can have; None for points."""
    labels_in_python: bool
    """Whether labels were an argument: those cannot be read again from a file."""
    distribution: Distribution | None = None
    """The distribution that samples are drawn from, if it is a built-in one."""
    file_format: str | None = None
    """Pillow's name of the format of the images of a folder."""

    @property
    def in_python(self) -> bool:
        """Whether data or labels came in Python, so that they cannot be opened
        again."""
        return (self.origin is None and self.distribution is None) or self.labels_in_python

    @property
    def label(self) -> str:
        """What messages call the data: "gaussian", "data.npy", "an array"."""
        if self.origin is not None:
            return Path(self.origin).name
        if self.distribution is not None:
            return self.name
        return f"{'an' if self.name == 'array' else 'a'} {self.name}"

    def to_dict(self) -> dict[str, Any]:
        """The description as config.json has it."""
        found = {
            "name": self.name,
            "origin": self.origin,
            "fingerprint": self.fingerprint,
            "schema": self.schema.to_dict(),
            "limits": self.limits,
            "labels_in_python": self.labels_in_python,
            "file_format": self.file_format,
        }
        if self.distribution is not None:
            found["distribution"] = distribution_settings(self.distribution)
        return found

    @classmethod
    def from_dict(cls, stored: dict[str, Any]) -> DataDescription:
        """The description that `to_dict` wrote, through JSON.

        Raises:
            RequestError: If it is not valid.
        """
        name = checked("name", stored.get("name"), str)
        distribution = None
        if "distribution" in stored:
            if name not in DISTRIBUTIONS:
                raise RequestError(
                    f"no distribution {clipped(repr(name))}: {nearest(name, DISTRIBUTIONS)}"
                )
            distribution = instance(DISTRIBUTIONS[name], stored["distribution"])
        return cls(
            name=name,
            origin=checked("origin", stored.get("origin"), str | None),
            fingerprint=checked("fingerprint", stored.get("fingerprint"), str),
            schema=Schema.from_dict(stored.get("schema", {})),
            limits=checked("limits", stored.get("limits"), tuple[float, float] | None),
            labels_in_python=checked("labels_in_python", stored.get("labels_in_python"), bool),
            distribution=distribution,
            file_format=checked("file_format", stored.get("file_format"), str | None),
        )

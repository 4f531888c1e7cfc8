"""What the shards of one folder hold: `_manifest.json`, by which sampling goes on after
an interruption with the same samples."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated, Any

import torch

from equipoise import __version__
from equipoise.coerce import Ge, instance, validate
from equipoise.errors import EquipoiseError, RequestError, clipped
from equipoise.sampling.conditions import Where
from equipoise.utils.atomic_io import read_file, write_atomic

NAME = "_manifest.json"  # readers of Parquet leave out what begins with "_" or "."
FORMAT = 1
MAX_BYTES = 2**24
FREE = ("dropped",)  # fields that may differ
VERSIONS: dict[str, str] = {"equipoise": __version__, "torch": torch.__version__}
SHOWN_DIGITS = 12  # of a SHA-256
MAX_SHARDS = 1_000_000


@dataclass(frozen=True)
class Manifest:
    """What the shards of a folder hold."""

    n: Annotated[int, Ge(0)]
    """Samples in all."""
    shard_size: Annotated[int, Ge(1)]
    """Samples of a shard; the last one may have fewer."""
    ending: str
    """Of the shards' names: ".parquet" or ".tar"."""
    seed: int
    """Of all samples."""
    generator: str
    """The SHA-256 of generator.safetensors."""
    label: str | None
    """The class that was asked for; None for all."""
    code: dict[str, float]
    """The codes that were set."""
    where: dict[str, str]
    """The conditions on columns, as text."""
    device: str
    """The type of the device that samples are drawn on: "cpu" or "cuda"."""
    truncation: float | None = None
    """How far latents are shrunk, from 0 to 1; None where they are not."""
    versions: dict[str, str] = field(default_factory=lambda: dict(VERSIONS))
    """Of Equipoise and torch: others may round differently."""
    dropped: float | None = None
    """The share of rows drawn that did not meet conditions or constraints, when shards
    were last made; None without any of both, and until then."""

    def __post_init__(self) -> None:
        validate(self, self._too_many)

    def _too_many(self) -> Iterator[str]:
        if self.shard_size > 0 and self.shards > MAX_SHARDS:
            least = -(-self.n // MAX_SHARDS)
            yield (
                f"shard_size = {self.shard_size:,}: makes {self.shards:,} files of {self.n:,} "
                f"samples: give at least {least:,}"
            )

    @property
    def shards(self) -> int:
        """The number of shards, at least one."""
        return max(-(-self.n // self.shard_size), 1)

    def span(self, shard: int) -> range:
        """The numbers of a shard's samples."""
        first = shard * self.shard_size
        return range(first, min(first + self.shard_size, self.n))

    def shard_path(self, folder: Path, shard: int) -> Path:
        """The file of a shard."""
        return folder / f"samples-{shard:06}{self.ending}"

    def missing(self, folder: Path) -> list[int]:
        """The shards that are not there yet. Those that are there are whole."""
        there = {path.name for path in folder.iterdir()}
        paths = (self.shard_path(folder, shard) for shard in range(self.shards))
        return [shard for shard, path in enumerate(paths) if path.name not in there]

    def check_same(self, found: Manifest, folder: Path) -> None:
        """Check that the shards of a folder hold what this manifest says.

        Args:
            found: The folder's manifest.
            folder: Named in the message.

        Raises:
            RequestError: If not, with every difference.
        """
        asked, there = asdict(self), asdict(found)
        differing = [
            f"{name} {_shown(name, there[name])}, not {_shown(name, value)}"
            for name, value in asked.items()
            if name not in FREE and value != there[name]
        ]
        if differing:
            raise RequestError(
                f"out = {str(folder)!r} holds samples with {', '.join(differing)}: ask for the "
                "same to go on, or give another folder"
            )

    def write(self, folder: Path) -> None:
        """Write it into the folder of the shards."""
        text = json.dumps({"format": FORMAT, **asdict(self)}, indent=2)
        write_atomic(folder / NAME, f"{text}\n".encode())

    @classmethod
    def read(cls, folder: Path) -> Manifest | None:
        """The manifest of a folder of shards; None where there is none.

        Raises:
            EquipoiseError: If it is damaged, or cannot be read.
        """
        path = folder / NAME
        try:
            stored = json.loads(read_file(path, MAX_BYTES))
            if stored.pop("format") != FORMAT:
                raise RequestError("it has another format")
            return instance(cls, stored)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise EquipoiseError(f"{path} could not be read: {error.strerror or error}") from error
        except (ValueError, TypeError, AttributeError, KeyError, RecursionError):
            raise EquipoiseError(f"{path} is damaged: give another folder") from None


def where_as_text(where: Where | None) -> dict[str, str]:
    """Conditions as a manifest has them: equal ones are equal texts."""
    return {str(name): _text(asked) for name, asked in sorted((where or {}).items(), key=_by_name)}


def _by_name(item: tuple[Any, Any]) -> str:
    return str(item[0])


def _text(asked: Any) -> str:
    if isinstance(asked, set | frozenset):
        return f"one of {', '.join(sorted(map(repr, asked)))}"
    return repr(asked.tolist() if hasattr(asked, "tolist") else asked)


def _shown(name: str, value: Any) -> str:
    if name == "generator":
        return f"{str(value)[:SHOWN_DIGITS]}..."
    if isinstance(value, Mapping):
        return clipped(", ".join(f"{name} = {of}" for name, of in value.items())) or "none"
    return "none" if value is None else clipped(str(value))

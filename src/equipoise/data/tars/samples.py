"""The samples in tars: which files belong together, and what each holds.

As WebDataset has it, a file's key is its path up to the first dot of its name, and its
field is the rest: `a/000123.cls` is the field `cls` of the sample `a/000123`.
"""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from equipoise.data.hidden import is_hidden
from equipoise.data.images.formats import SUFFIXES, listed
from equipoise.data.images.listing import LeftOut
from equipoise.data.tars.labels import Found, Label, label_of, labels_of
from equipoise.data.tars.reading import Member, PassedOver, members
from equipoise.errors import RequestError, clipped
from equipoise.utils.progress_bar import bar

Kind = Literal["images", "arrays"]
MAX_FIELDS = 6  # in a message


@dataclass(frozen=True)
class Samples:
    """The samples of some shards, in order. They are read where they lie."""

    kind: Kind
    shards: tuple[Path, ...]
    titles: tuple[str, ...]
    """What messages call the shards."""
    names: tuple[str, ...]
    """Of each sample's image or array: "shard-000.tar/000123.png"."""
    shard_of: NDArray[np.int32]
    offsets: NDArray[np.int64]
    sizes: NDArray[np.int64]
    """Bytes."""
    labels: tuple[Label, ...] | None
    notes: tuple[str, ...]
    passed_over: tuple[LeftOut, ...]

    def __len__(self) -> int:
        return len(self.names)

    def member(self, index: int) -> Member:
        """The image or array of a sample."""
        return Member(
            self.shards[self.shard_of[index]],
            self.names[index],
            int(self.offsets[index]),
            int(self.sizes[index]),
        )

    def name_inside(self, index: int) -> str:
        """The name of an image or array within its shard."""
        return self.names[index].removeprefix(f"{self.titles[self.shard_of[index]]}/")


@dataclass(frozen=True)
class _Sample:
    name: str
    kind: Kind
    member: Member
    label: Found | None
    unused: tuple[str, ...]
    """The endings of its other files."""


def read_samples(shards: Sequence[Path]) -> Samples:
    """All samples of these shards.

    Raises:
        RequestError: If one is damaged or holds no samples, or samples differ in what
            they hold.
    """
    titles = _titles(shards)
    found: list[_Sample] = []
    starts, passed_over = [0], list[LeftOut]()
    with bar("Looking at shards", len(shards)) as done:
        for path, title in zip(shards, titles, strict=True):
            found += _of_shard(path, title, passed_over)
            if len(found) == starts[-1]:
                raise RequestError(
                    f"{path} holds no samples: give a .tar of images ({listed()}) or of .npy "
                    "files, with labels in .cls or .json"
                )
            starts.append(len(found))
            done(1)
    _refuse_other_kinds(found)
    names = tuple(one.name for one in found)
    labels, note = labels_of([one.label for one in found], names)
    return Samples(
        kind=found[0].kind,
        shards=tuple(shards),
        titles=tuple(titles),
        names=names,
        shard_of=np.repeat(np.arange(len(shards), dtype=np.int32), np.diff(starts)),
        offsets=np.array([one.member.offset for one in found], np.int64),
        sizes=np.array([one.member.size for one in found], np.int64),
        labels=labels,
        notes=tuple(text for text in (note, _unused_note(found)) if text),
        passed_over=tuple(passed_over),
    )


def _unused_note(found: Sequence[_Sample]) -> str:
    """How many files beside the images or arrays, and beside labels, are not used."""
    counts = Counter(ending for one in found for ending in one.unused)
    if not counts:
        return ""
    number = f"{counts.total():,} file{'s' * (counts.total() > 1)}"
    listed = _listed([ending for ending, _ in counts.most_common()])
    return f"not used: {number} beside the {found[0].kind} ({listed})"


def _titles(shards: Sequence[Path]) -> list[str]:
    """What messages call each shard: its name, or its path where names repeat."""
    repeated = Counter(path.name for path in shards)
    return [path.name if repeated[path.name] == 1 else str(path) for path in shards]


def _of_shard(path: Path, title: str, passed_over: list[LeftOut]) -> list[_Sample]:
    samples: dict[str, dict[str, Member]] = {}
    for member in members(path):
        folder, _, base = member.name.rpartition("/")
        name = f"{title}/{member.name}"
        if _is_hidden(member.name):
            passed_over.append(LeftOut(name, "hidden"))
            continue
        if isinstance(member, PassedOver):
            passed_over.append(LeftOut(name, "not a plain file", member.what))
            continue
        stem, _, ending = base.partition(".")
        fields = samples.setdefault(f"{folder}/{stem}", {})
        if ending.lower() in fields:
            raise RequestError(f"{path} has {clipped(member.name)} twice: give each sample a name")
        fields[ending.lower()] = member
    if not any(_payload(fields, title) is not None for fields in samples.values()):
        return []
    with path.open("rb") as file:
        made = []
        for key, fields in samples.items():
            payload = _payload(fields, title)
            if payload is None:
                raise RequestError(
                    f"{path}: the sample {clipped(key.lstrip('/'))} has no image and no array, "
                    f"only {_listed(fields)}: give every sample one"
                )
            kind, member = payload
            name = f"{title}/{member.name}"
            label = label_of(fields, file)
            used = {member.name, *([] if label is None else [fields[label[0][1:]].name])}
            unused = (ending for ending, one in fields.items() if one.name not in used)
            made.append(_Sample(name, kind, member, label, tuple(map(sys.intern, unused))))
        return made


def _is_hidden(name: str) -> bool:
    """Whether a file is one that a folder hides too, or WebDataset's own, whose names
    begin with two underscores."""
    parts = [part for part in name.split("/") if part not in (".", "..", "")]
    return not parts or parts[-1].startswith("__") or is_hidden(parts)


def _payload(fields: Mapping[str, Member], title: str) -> tuple[Kind, Member] | None:
    """What is learned of a sample: its image, else its array; None without any."""
    for kind, endings in (("images", SUFFIXES), ("arrays", {".npy"})):
        plain = [name for name in fields if f".{name}" in endings]
        found = plain or [name for name in fields if f".{name.rpartition('.')[2]}" in endings]
        if len(found) > 1:
            raise RequestError(
                f"{title}: the sample of {clipped(fields[found[0]].name)} has several {kind}, "
                f"{_listed(found)}: give one a sample"
            )
        if found:
            return ("images" if kind == "images" else "arrays"), fields[found[0]]
    return None


def _refuse_other_kinds(found: Sequence[_Sample]) -> None:
    with suppress(StopIteration):
        other = next(one for one in found if one.kind != found[0].kind)
        raise RequestError(
            f"{clipped(found[0].name)} is one of {found[0].kind}, {clipped(other.name)} one of "
            f"{other.kind}: give samples of one kind"
        )


def _listed(fields: Sequence[str] | Mapping[str, Member]) -> str:
    shown = [clipped(f".{name}" if name else "a file without an ending", 30) for name in fields]
    return ", ".join(shown[:MAX_FIELDS]) + (", ..." if shown[MAX_FIELDS:] else "")


def states_of(shards: Sequence[Path]) -> list[tuple[int, int, int]]:
    """Of each shard the times of the last change of its content and of its inode, and
    the inode's number."""
    stats = map(os.stat, shards)
    return [(one.st_mtime_ns, one.st_ctime_ns, one.st_ino) for one in stats]

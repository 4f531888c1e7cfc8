"""Which .tar files (shards) a path names: itself, those of a folder, or those of a
pattern with braces."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from equipoise.data.images.formats import SUFFIXES
from equipoise.data.images.listing import LeftOut, ending_of
from equipoise.errors import RequestError, clipped

ENDING = ".tar"
COMPRESSED = (".tar.gz", ".tgz", ".tar.zst", ".tar.bz2", ".tar.xz")
MAX_SHARDS = 100_000
# The first braces of a pattern: {000..099} or {a,b}.
BRACES = re.compile(r"\{(?:(\d+)\.\.(\d+)|([^{},]*(?:,[^{},]*)+))\}")


def shards_of(path: Path) -> tuple[list[Path], tuple[LeftOut, ...]]:
    """The shards that a path names, in order, and the other files of a folder of them;
    none where it names something else.

    Raises:
        RequestError: For compressed shards, and for a pattern whose files are not all
            there.
    """
    if path.is_dir():
        return _in_folder(path)
    if path.name.lower().endswith(COMPRESSED) and path.is_file():
        raise RequestError(
            f"{path} is compressed, and samples are read at any place of a .tar: unpack it first "
            "(gunzip, unzstd, ...)"
        )
    if BRACES.search(str(path)) and not path.exists():
        return _of_pattern(str(path)), ()
    return ([path] if path.name.lower().endswith(ENDING) and path.is_file() else []), ()


def title_of(path: Path) -> str:
    """What messages and runs call the shards that a path names."""
    name = path.resolve().name if path.is_dir() else path.name.split("{")[0]
    name = name.lower().removesuffix(ENDING) if name.lower().endswith(ENDING) else name
    return name.strip("-_. ") or path.absolute().parent.name or "tar"


def expanded(pattern: str) -> Iterator[str]:
    """The names of a pattern with braces, in order, as shells expand it."""
    found = BRACES.search(pattern)
    if found is None:
        yield pattern
        return
    first, last, listed = found.groups()
    before, after = pattern[: found.start()], pattern[found.end() :]
    if listed is not None:
        middles: Iterator[str] = iter(listed.split(","))
    else:
        width = max(len(first), len(last)) if "0" in (first[0], last[0]) else 0
        numbers = range(int(first), int(last) + 1)
        middles = (f"{number:0{width}}" for number in numbers)
    for middle in middles:
        yield from expanded(before + middle + after)


def _of_pattern(pattern: str) -> list[Path]:
    paths = [Path(name) for name in islice(expanded(pattern), MAX_SHARDS + 1)]
    if not paths or len(paths) > MAX_SHARDS:
        number = f"more than {MAX_SHARDS:,}" if paths else "no"
        raise RequestError(f"{clipped(pattern)} names {number} files: give a smaller range")
    others = [path for path in paths if not path.name.lower().endswith(ENDING)]
    if others:
        raise RequestError(f"{clipped(pattern)} names {others[0]}: braces are for .tar files")
    missing = [path for path in paths if not path.is_file()]
    if missing:
        raise RequestError(
            f"{clipped(pattern)}: {len(missing):,} of {len(paths):,} files are not there, the "
            f"first {missing[0]}"
        )
    return paths


def _in_folder(folder: Path) -> tuple[list[Path], tuple[LeftOut, ...]]:
    """The shards of a folder that holds some, and neither images nor folders: with
    those, it is a folder of images."""
    shards, others = list[Path](), list[LeftOut]()
    compressed = ""
    for path in sorted(folder.iterdir()):
        name = path.name.lower()
        if path.name.startswith((".", "_")):
            others.append(LeftOut(path.name, "hidden"))
            continue
        if path.is_dir() or ending_of(name) in SUFFIXES:
            return [], ()
        if name.endswith(ENDING) and path.is_file():
            shards.append(path)
            continue
        compressed = compressed or (path.name if name.endswith(COMPRESSED) else "")
        others.append(LeftOut(path.name, "of an unknown ending", ending_of(path.name) or "none"))
    if compressed:
        raise RequestError(
            f"{folder / compressed} is compressed, and samples are read at any place of a .tar: "
            "unpack the shards first (gunzip, unzstd, ...)"
        )
    return shards, tuple(others) if shards else ()

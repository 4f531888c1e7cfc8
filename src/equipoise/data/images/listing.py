"""The files below a folder: those that can be images, and those that are passed
over."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from equipoise.data.hidden import is_hidden
from equipoise.data.images.arrangement import Arrangement, arrangement_of
from equipoise.data.images.form import AS_FOUND, Resizing
from equipoise.data.images.formats import SUFFIXES, lacking, listed
from equipoise.data.images.place import Place
from equipoise.errors import RequestError, clipped

MAX_ENDINGS, MAX_EXAMPLE = 4, 160  # in a note


@dataclass(frozen=True)
class LeftOut:
    """A file or a folder that no image or array is taken from."""

    name: str
    """The path from the root."""
    category: str
    """Why, in words that several share: "unreadable"."""
    detail: str = ""
    """Why, of this one."""

    def __str__(self) -> str:
        return f"{self.category}: {self.detail}" if self.detail else self.category


@dataclass(frozen=True)
class Listing:
    """The image files below a folder."""

    root: Path
    names: tuple[str, ...]
    """Paths from `root`, sorted."""
    sizes: tuple[int, ...]
    """Bytes."""
    states: tuple[tuple[int, int, int], ...]
    """For each file the times, in ns, of the last change of its content and of its
    inode, and the inode's number. They show that a file was changed or replaced: the
    first can be set back, as `cp -p` and `rsync -t` do, the others cannot. None where
    files have no states: then they are read each time."""
    passed_over: tuple[LeftOut, ...] = ()
    """What is there beside them, sorted."""
    resizing: Resizing = AS_FOUND
    """How they are to be brought to one size."""

    def __len__(self) -> int:
        return len(self.names)

    @property
    def title(self) -> str:
        """What messages and runs call all of them."""
        return self.root.resolve().name

    def place(self, name: str) -> Place:
        """Where the bytes of one of them are."""
        return Path(self.root, name)

    def arrangement(self, names: Sequence[str]) -> Arrangement:
        """The labels and the split of those of these names."""
        return arrangement_of(self.root, names)

    @cached_property
    def reading(self) -> str:
        """How the files are read: how they are resized, and which formats among them
        cannot be read here."""
        missing = lacking({ending_of(name) for name in self.names})
        return f"{self.resizing} without {', '.join(missing)}" if missing else str(self.resizing)

    @cached_property
    def digest(self) -> str:
        """A SHA-256 of names and sizes, and of how they are read. If it differs, so
        does the content."""
        files = (f"{name}\0{size}" for name, size in zip(self.names, self.sizes, strict=True))
        return digest_of([self.reading, *files])

    @cached_property
    def digest_of_states(self) -> str:
        """A SHA-256 of the states. If it is equal, and names and sizes are, so is the
        content, provided that the file system keeps all states."""
        return digest_of(map(str, self.states))


def list_images(root: Path, resizing: Resizing = AS_FOUND) -> Listing:
    """The image files below `root`.

    Links to files are followed, links to folders are not.

    Raises:
        RequestError: If there are none.
    """
    found: list[tuple[str, int, tuple[int, int, int]]] = []
    passed_over: list[LeftOut] = []
    folders = [""]  # paths from the root, each with a separator behind
    while folders:
        below = folders.pop()
        try:
            with os.scandir(root / below) as entries:
                for entry in entries:
                    name = below + entry.name
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(name + os.sep)
                    elif (reason := _passed_over(entry, name)) is not None:
                        passed_over.append(reason)
                    else:
                        with suppress(FileNotFoundError):  # removed a moment ago
                            state = entry.stat()
                            changes = state.st_mtime_ns, state.st_ctime_ns, state.st_ino
                            found.append((name, state.st_size, changes))
        except OSError as error:
            if not below:
                raise
            reason = LeftOut(below.removesuffix(os.sep), "unreadable", error.strerror or "")
            passed_over.append(reason)
    if not found:
        beside = f"; it has {counted(passed_over)}" if passed_over else ""
        raise RequestError(
            f"{root} holds no images: give a folder of {listed()} files, or of the parts of a "
            f"table, all of one format and none in subfolders{clipped(beside, 200)}"
        )
    # A folder's files stand together, as in the order of paths.
    found.sort(key=lambda one: one[0].replace(os.sep, "\0"))
    passed_over.sort(key=lambda one: one.name.replace(os.sep, "\0"))
    names, sizes, states = zip(*found, strict=True)
    return Listing(root, names, sizes, states, tuple(passed_over), resizing)


def ending_of(name: str) -> str:
    """The ending of a file's name, in small letters; empty where there is none."""
    base = os.path.basename(name)
    dot = base.rfind(".")
    return base[dot:].lower() if dot > 0 else ""


def _passed_over(entry: os.DirEntry[str], name: str) -> LeftOut | None:
    """Why an entry that is no folder cannot be an image; None if it can."""
    if is_hidden(name.split(os.sep)):
        return LeftOut(name, "hidden")
    try:
        if entry.is_symlink() and not entry.is_file():
            what = "a link to a folder" if entry.is_dir() else "a broken link"
            return LeftOut(name, "not followed", what)
        if ending_of(name) not in SUFFIXES:
            return LeftOut(name, "of an unknown ending", ending_of(name) or "none")
        return None if entry.is_file() else LeftOut(name, "not a plain file")
    except OSError as error:  # of a circular link
        return LeftOut(name, "not followed", error.strerror or "a broken link")


def note_of(left_out: Sequence[LeftOut], images: int) -> str:
    """What is said of the files that are left out: how many, and why."""
    total = len(left_out) + images
    noun = "file" if total == 1 else "files"
    listed = "; all are listed in left_out.txt of the run" if len(left_out) > 1 else ""
    return f"{len(left_out)} of {total} {noun} left out: {counted(left_out)}{listed}"


def counted(left_out: Sequence[LeftOut]) -> str:
    """How many there are of each category, with what they have in common or the first
    of them: "3 of an unknown ending (.tif, .txt); 1 unreadable (a.png: ...)"."""
    by_category: dict[str, list[LeftOut]] = {}
    for one in left_out:
        by_category.setdefault(one.category, []).append(one)
    parts = []
    for category, ones in by_category.items():
        if category == "of an unknown ending":
            endings = sorted({one.detail for one in ones})
            shown = ", ".join(endings[:MAX_ENDINGS]) + (", ..." if endings[MAX_ENDINGS:] else "")
        else:
            shown = ones[0].name + (f": {ones[0].detail}" if ones[0].detail else "")
            shown = clipped(shown, MAX_EXAMPLE) + ("; ..." if len(ones) > 1 else "")
        parts.append(f"{len(ones)} {category} ({shown})")
    return "; ".join(parts)


def digest_of(lines: Iterable[str]) -> str:
    """The SHA-256 of lines. File names that are not valid text count by their bytes."""
    return hashlib.sha256(os.fsencode("\n".join(lines))).hexdigest()

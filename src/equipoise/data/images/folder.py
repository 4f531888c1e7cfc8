"""A folder of images: its files, their common form and a hash of the content. Class
subfolders become labels."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Callable, Generator, Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import chain
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from equipoise.data.images.decode import DECODER, SUFFIXES, Form, Seen, Taken, common_form, take
from equipoise.errors import RequestError
from equipoise.utils.prefetch import ahead
from equipoise.utils.progress_bar import bar
from equipoise.utils.system import usable_cores

T = TypeVar("T")
# Images that a thread takes at once. With one at a time, threads wait for each other.
IMAGES_PER_TASK = 32
MAX_DECODERS = 4  # small images spend most time under the interpreter's lock


def decoders() -> int:
    """The number of decoding threads. Pillow releases the interpreter's lock meanwhile.

    More threads than cores only wait for each other. As many processes cost more CPU
    time (32 x 32 PNG: 86 us an image instead of 68; 64 x 64 JPEG: 148 us instead of
    91)."""
    return min(usable_cores(), MAX_DECODERS)


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
    first can be set back, as `cp -p` and `rsync -t` do, the others cannot."""

    def __len__(self) -> int:
        return len(self.names)

    def path(self, index: int) -> Path:
        return Path(self.root, self.names[index])

    @cached_property
    def digest(self) -> str:
        """A SHA-256 of names and sizes. If it differs, so does the content."""
        return _digest(f"{name}\0{size}" for name, size in zip(self.names, self.sizes, strict=True))

    @cached_property
    def digest_of_states(self) -> str:
        """A SHA-256 of the states. If it is equal, and names and sizes are, so is the
        content, provided that the file system keeps all states."""
        return _digest(map(str, self.states))


@dataclass(frozen=True)
class ImageFolder:
    """The readable images of a folder, and the form that all are converted to.

    `content` is a SHA-256 of each file's path from the root and its bytes, and of the
    version of the decoder.
    """

    root: Path
    names: tuple[str, ...]
    form: Form
    notes: tuple[str, ...]
    content: str

    @property
    def files(self) -> tuple[Path, ...]:
        return tuple(self.root / name for name in self.names)

    @property
    def labels(self) -> tuple[str, ...] | None:
        """For each file the folder directly below the root that it lies in. None if one
        lies in no folder, or all in the same."""
        first = tuple(name.partition(os.sep)[0] for name in self.names)
        return (
            None if any(os.sep not in name for name in self.names) or len(set(first)) < 2 else first
        )

    @property
    def mode(self) -> str:
        return self.form.mode

    @property
    def shape(self) -> tuple[int, int, int]:
        """(C, H, W)."""
        return self.form.shape

    @property
    def dtype(self) -> str:
        return self.form.dtype

    @property
    def nbytes(self) -> int:
        """Bytes of all images, decoded."""
        return len(self) * self.form.nbytes

    def __len__(self) -> int:
        return len(self.names)

    def read(self, indices: list[int]) -> NDArray[Any]:
        """The images at `indices` as (n, C, H, W).

        Raises:
            RequestError: If one can no longer be read.
        """
        paths = [self.root / self.names[index] for index in indices]
        values = np.empty((len(paths), *self.shape), self.dtype)
        for place, (path, taken) in enumerate(
            ahead(partial(take, form=self.form), paths, IMAGES_PER_TASK, decoders())
        ):
            if taken.pixels is None:
                raise RequestError(
                    f"{path} can no longer be read ({taken.seen}): put it back, or start a new "
                    "run without it"
                )
            values[place] = taken.pixels
        return values


def list_images(root: Path) -> Listing:
    """The image files below `root`.

    Links to files are followed, links to folders are not.

    Raises:
        RequestError: If there are none.
    """
    found: list[tuple[str, int, tuple[int, int, int]]] = []
    folders = [""]  # paths from the root, each with a separator behind
    while folders:
        below = folders.pop()
        try:
            with os.scandir(root / below) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(below + entry.name + os.sep)
                    elif entry.name[max(entry.name.rfind("."), 1) :].lower() in SUFFIXES:
                        with suppress(OSError):  # a broken or circular link is no file
                            if entry.is_file():
                                state = entry.stat()
                                changes = state.st_mtime_ns, state.st_ctime_ns, state.st_ino
                                found.append((below + entry.name, state.st_size, changes))
        except OSError:
            if not below:
                raise
            # A folder that cannot be read counts as empty, as for Path.rglob.
            continue
    if not found:
        raise RequestError(
            f"{root} holds no images: give a folder of {', '.join(sorted(SUFFIXES))} files"
        )
    # A folder's files stand together, as in the order of paths.
    found.sort(key=lambda one: one[0].replace(os.sep, "\0"))
    names, sizes, states = zip(*found, strict=True)
    return Listing(root, names, sizes, states)


def scan(root: Path) -> ImageFolder:
    """Every image below `root`, decoded once to check that it is whole. Those that
    cannot be read are left out and named in the notes.

    Images of another size than the most common one are cropped to its proportions about
    their centre, and resized. Images of different modes are converted to the richest:
    one colour image makes all RGB, one with transparency RGBA.

    Raises:
        RequestError: If none can be read.
    """
    listing = list_images(root)
    return gather(listing, list(chain.from_iterable(each(listing, take, "Looking at images"))))


def each(
    listing: Listing, work: Callable[[Path], T], what: str, rows: int = IMAGES_PER_TASK
) -> Generator[list[T], None, None]:
    """The results of `work` for every file, in order, `rows` at a time, computed by
    threads in bounded memory.

    Args:
        listing: The files.
        work: What is computed of a file's path.
        what: What the progress bar says.
        rows: Files of one result.
    """
    chunks = [
        range(start, min(start + rows, len(listing))) for start in range(0, len(listing), rows)
    ]
    threads = decoders()

    def work_on(chunk: range) -> list[T]:
        return [work(listing.path(index)) for index in chunk]

    with bar(what, len(listing)) as done:
        for chunk, made in ahead(work_on, chunks, 2 * threads, threads):
            yield made
            done(len(chunk))


def gather(listing: Listing, taken: list[Taken]) -> ImageFolder:
    """The folder that these decoded files make up.

    Raises:
        RequestError: If none could be read.
    """
    seen = [one.seen for one in taken]
    unreadable = [
        (name, reason)
        for name, reason in zip(listing.names, seen, strict=True)
        if isinstance(reason, str)
    ]
    good = [one for one in seen if isinstance(one, Seen)]
    if not good:
        name, reason = unreadable[0]
        raise RequestError(
            f"{listing.root}: none of {len(seen)} images could be read; the first, "
            f"{os.path.basename(name)}: {reason}"
        )
    form = common_form(good)
    names = tuple(
        name for name, one in zip(listing.names, seen, strict=True) if isinstance(one, Seen)
    )
    content = content_of(listing, [one.digest for one in taken])
    return ImageFolder(listing.root, names, form, tuple(_notes(unreadable, good, form)), content)


def content_of(listing: Listing, digests: list[str | None]) -> str:
    """The SHA-256 that identifies a folder wherever it lies: of each file's path and
    the digest of its bytes."""
    lines = (
        f"{name.replace(os.sep, '/')}\0{digest}"
        for name, digest in zip(listing.names, digests, strict=True)
    )
    return _digest([f"decoder {DECODER}", *lines])


def _notes(unreadable: list[tuple[str, str]], good: list[Seen], form: Form) -> list[str]:
    """What the user should know of how the images were read."""
    notes = []
    if unreadable:
        shown = "; ".join(f"{name} ({reason})" for name, reason in unreadable[:3]) + (
            "; ..." if len(unreadable) > 3 else ""
        )
        notes.append(f"{len(unreadable)} of {len(unreadable) + len(good)} images left out: {shown}")
    (width, height), resized = form.size, sum(one.size != form.size for one in good)
    if resized:
        notes.append(
            f"{resized} of {len(good)} images were not {width} x {height}, the most common "
            "size: cropped about the centre and resized"
        )
    modes = Counter(one.mode for one in good)
    if len(modes) > 1:
        notes.append(
            f"modes {', '.join(f'{name} ({count})' for name, count in modes.most_common())}: "
            f"all read as {form.mode}"
        )
    return notes


def _digest(lines: Iterable[str]) -> str:
    """The SHA-256 of lines. File names that are not valid text count by their bytes."""
    return hashlib.sha256(os.fsencode("\n".join(lines))).hexdigest()

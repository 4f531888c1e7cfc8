"""A folder of images: its files, their common form and a hash of the content."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from itertools import chain
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from equipoise.data.images.arrangement import Arrangement
from equipoise.data.images.decode import DECODER, Taken, take
from equipoise.data.images.form import AS_FOUND, Form, Resizing, Seen, common_form
from equipoise.data.images.listing import LeftOut, Listing, digest_of, list_images, note_of
from equipoise.data.images.place import Place
from equipoise.errors import RequestError
from equipoise.utils.prefetch import ahead
from equipoise.utils.progress_bar import bar
from equipoise.utils.system import usable_cores

T = TypeVar("T")
# Images that a thread takes at once. With one at a time, threads wait for each other.
IMAGES_PER_TASK = 32
EXAMPLES = 6  # of what resizing does
MAX_DECODERS = 4  # small images spend most time under the interpreter's lock


def decoders() -> int:
    """The number of decoding threads. Pillow releases the interpreter's lock meanwhile.

    More threads than cores only wait for each other. As many processes cost more CPU
    time (32 x 32 PNG: 86 us an image instead of 68; 64 x 64 JPEG: 148 us instead of
    91)."""
    return min(usable_cores(), MAX_DECODERS)


@dataclass(frozen=True)
class ImageFolder:
    """The readable images of a folder, and the form that all are converted to.

    `content` is a SHA-256 of each file's path from the root and its bytes, of the
    version of the decoder and of how images are read (`Listing.reading`).
    """

    listing: Listing = field(compare=False)
    """All files of it."""
    names: tuple[str, ...]
    """Those of the images."""
    form: Form
    range: tuple[float, float]
    """The least and the greatest value of images of more than 8 bit."""
    format: str
    """Pillow's name of the most common format."""
    unreadable: tuple[LeftOut, ...]
    """Image files that are left out."""
    notes: tuple[str, ...]
    """On how the images were read, a line each."""
    content: str
    examples: tuple[str, ...] = ()
    """Some of the images that were resized, spread over the folder."""

    @cached_property
    def arrangement(self) -> Arrangement:
        """Its labels, and its split."""
        return self.listing.arrangement(self.names)

    @property
    def left_out(self) -> tuple[LeftOut, ...]:
        """Every file that neither an image nor labels are taken from, in order."""
        read = self.arrangement.labels_file
        both = (*self.unreadable, *self.listing.passed_over)
        left = [one for one in both if one.name != read]
        return tuple(sorted(left, key=lambda one: one.name.replace(os.sep, "\0")))

    @property
    def all_notes(self) -> list[str]:
        """What the user should know of the folder, a line each."""
        left_out = self.left_out
        counted = [note_of(left_out, len(self))] if left_out else []
        return [*counted, *self.notes, *self.arrangement.notes]

    @property
    def mode(self) -> str:
        return self.form.mode

    @property
    def shape(self) -> tuple[int, int, int]:
        """(C, H, W)."""
        return self.form.shape

    @property
    def dtype(self) -> str:
        return self.form.depth

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
        places = [self.listing.place(self.names[index]) for index in indices]
        values = np.empty((len(places), *self.shape), self.dtype)
        for row, (place, taken) in enumerate(
            ahead(partial(take, form=self.form), places, IMAGES_PER_TASK, decoders())
        ):
            if taken.pixels is None:
                why = taken.seen if isinstance(taken.seen, str) else "it is another image now"
                raise RequestError(
                    f"{place} can no longer be read ({why}): put it back, or start a new "
                    "run without it"
                )
            values[row] = taken.pixels
        return values


def scan(root: Path | Listing, resizing: Resizing = AS_FOUND) -> ImageFolder:
    """Every image below `root`, or of a listing, decoded once to check that it is
    whole. Those that cannot be read are left out and named in the notes.

    Images of another size than the most common one are cropped to its proportions about
    their centre, and resized, unless `resizing` asks for something else. Images of
    different modes are converted to the richest: one colour image makes all RGB, one
    with transparency RGBA.

    Raises:
        RequestError: If none can be read.
    """
    listing = root if isinstance(root, Listing) else list_images(root, resizing)
    return gather(listing, list(chain.from_iterable(each(listing, take, "Looking at images"))))


def each(
    listing: Listing, work: Callable[[Place], T], what: str, rows: int = IMAGES_PER_TASK
) -> Generator[list[T], None, None]:
    """The results of `work` for every file, in order, `rows` at a time, computed by
    threads in bounded memory.

    Args:
        listing: The files.
        work: What is computed of the place of a file.
        what: What the progress bar says.
        rows: Files of one result.
    """
    chunks = [
        range(start, min(start + rows, len(listing))) for start in range(0, len(listing), rows)
    ]
    threads = decoders()

    def work_on(chunk: range) -> list[T]:
        return [work(listing.place(listing.names[index])) for index in chunk]

    with bar(what, len(listing)) as done:
        for chunk, made in ahead(work_on, chunks, 2 * threads, threads):
            yield made
            done(len(chunk))


def gather(listing: Listing, taken: list[Taken]) -> ImageFolder:
    """The folder that these decoded files make up.

    Raises:
        RequestError: If none could be read.
    """
    readable = [one.seen for one in taken if isinstance(one.seen, Seen)]
    unreadable = {
        name: LeftOut(name, "unreadable", one.seen)
        for name, one in zip(listing.names, taken, strict=True)
        if isinstance(one.seen, str)
    }
    good: dict[str, Seen] = {}
    if readable:
        form = common_form(readable, listing.resizing)
        for name, one in zip(listing.names, taken, strict=True):
            if isinstance(one.seen, str):
                continue
            if reason := form.misfit(one.seen):
                unreadable[name] = LeftOut(name, *reason)
            else:
                good[name] = one.seen
    if not good:
        first = min(unreadable.values(), key=lambda one: listing.names.index(one.name))
        why = first.detail if first.category == "unreadable" else str(first)
        raise RequestError(
            f"{listing.root}: none of {len(taken)} images could be read; the first, "
            f"{os.path.basename(first.name)}: {why}"
        )
    seen = [*good.values()]
    return ImageFolder(
        listing=listing,
        names=(*good,),
        form=form,
        range=(min(one.low for one in seen), max(one.high for one in seen)),
        format=Counter(one.format for one in seen).most_common(1)[0][0],
        unreadable=tuple(unreadable.values()),
        notes=tuple(_notes(seen, form, listing.resizing)),
        content=content_of(listing, [one.digest for one in taken]),
        examples=_examples([name for name, one in good.items() if one.size != form.size]),
    )


def _examples(resized: Sequence[str]) -> tuple[str, ...]:
    """A few of the images that were resized, with the first and the last."""
    shown = min(len(resized), EXAMPLES)
    places = np.linspace(0, len(resized) - 1, shown).round().astype(int)
    return tuple(resized[place] for place in places)


def content_of(listing: Listing, digests: list[str | None]) -> str:
    """The SHA-256 that identifies a folder wherever it lies: of how it is read, and of
    each file's path and the digest of its bytes."""
    lines = (
        f"{name.replace(os.sep, '/')}\0{digest}"
        for name, digest in zip(listing.names, digests, strict=True)
    )
    return digest_of([f"decoder {DECODER}", listing.reading, *lines])


def _notes(seen: Sequence[Seen], form: Form, resizing: Resizing) -> list[str]:
    """What the user should know of how the images were read."""
    notes = []
    (width, height), resized = form.size, sum(one.size != form.size for one in seen)
    if resized:
        how = "kept whole, with a border," if form.fit else "cropped about the centre"
        if form.crop:
            how = f"cut to the middle {form.crop[0]} x {form.crop[1]}"
        asked = resizing.size or resizing.crop
        which = "the size asked for" if asked else "the most common size"
        notes.append(
            f"{resized} of {len(seen)} images were not {width} x {height}, {which}: "
            f"{how} and resized (--size, --crop and --fit change it)"
        )
    modes = Counter(one.mode for one in seen)
    if len(modes) > 1:
        notes.append(
            f"modes {', '.join(f'{name} ({count})' for name, count in modes.most_common())}: "
            f"all read as {form.mode}"
        )
    if form.mode == "channels":
        notes.append(f"each file is read as {form.channels} channels")
    for count, what in (
        (sum(one.more_frames for one in seen), "have several frames or pages: the first is read"),
        (sum(one.reduced for one in seen), "have 16 bit a colour: they are read as 8"),
        (
            sum(one.depth != form.depth for one in seen),
            "have 16 bit: they are read as 8, which the others have, with a white of "
            f"{form.white:,.0f}",
        ),
    ):
        notes += [f"{count} of {len(seen)} images {what}"] if count else []
    return notes

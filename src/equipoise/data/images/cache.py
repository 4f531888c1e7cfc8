"""Decoded images, kept on disk so that a folder is decoded once.

    <data home>/images/<content>/
        pixels              the images, (N, C, H, W), with nothing between them
        sums                each image's sum of values and of squares, (N, 2), int64
        description.json    their form, which files were left out, and notes
    <data home>/images/listings/<names and sizes>/<states>.json
                            the content of a folder whose files look so

`content` is a SHA-256 of the paths from the folder on and of the bytes of all files, so
a folder that is copied or touched is known again by reading it, without decoding. One
whose names, sizes and states are all as they were is not even read, but for a few
files.

A file's state is the times at which its content and its inode changed, and the inode's
number: an image that is replaced, or changed with its time set back, is noticed. Not
every file system keeps these: FAT, some network mounts and Windows lack the inode's
time or its number. So eight files, spread over all, are read and compared too, which
shows a set that was replaced as a whole.

A kept folder is opened when its description has its SHA-256, `sums` the one that stands
in it, `pixels` the right size, and some images, spread over all, still have their sums.
The SHA-256 of all the pixels would take longer than opening should. What is found wrong
is made again. All of it may be deleted at any time.
"""

from __future__ import annotations

import hashlib
import json
import mmap
import os
import secrets
import shutil
import sys
import time
from contextlib import closing, suppress
from dataclasses import asdict, dataclass, replace
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from equipoise.data.images.decode import Form, Seen, Taken, common_form, digest, take
from equipoise.data.images.folder import (
    CHUNK,
    ImageFolder,
    Listing,
    content_of,
    each,
    gather,
    list_images,
)
from equipoise.data.images.sums import sums_of
from equipoise.errors import EquipoiseError
from equipoise.utils.atomic_io import data_home, sync_folder, write_through, write_whole

FORMAT = 1
PIXELS, SUMS, DESCRIPTION = "pixels", "sums", "description.json"
CHUNK_BYTES = 2**23  # of pixels that a thread decodes before they are written
COMPARED = 8  # files that are read of a folder that looks as it was
FIRST_LOOKS = 16  # images whose form the others are taken to have, until all are seen
CHECKED, CHECKED_BYTES = (
    64,
    2**22,
)  # images, and bytes at most, whose sums are compared when a kept folder is opened
SPARE = 2**26  # bytes that are left free on the disk
# After which what is neither finished nor written to belongs to a process that was
# killed.
FORGOTTEN_SECONDS = 86_400


class NotKeptError(EquipoiseError):
    """A folder's decoded images cannot be kept here; the message says why."""


@dataclass(frozen=True)
class Decoded:
    """A folder whose decoded images lie in the file `pixels`.

    `sums`, (N, 2), are each image's sum of values and of their squares.
    """

    folder: ImageFolder
    pixels: Path
    sums: NDArray[np.int64]

    def values(self, *, at_random: bool = False) -> NDArray[Any]:
        """The images, (N, C, H, W), read-only, of which memory holds what was last
        read. `at_random` keeps the system from reading on beyond what is asked for."""
        with self.pixels.open("rb") as file:
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        if at_random and hasattr(mmap, "MADV_RANDOM"):
            mapped.madvise(mmap.MADV_RANDOM)
        return np.frombuffer(mapped, self.folder.dtype).reshape(-1, *self.folder.shape)


def decoded(root: Path) -> Decoded:
    """The images below `root`, decoded if they have not been before; as `folders.scan`
    says.

    Raises:
        RequestError: If there are none that can be read, NotKeptError where the disk
            has no room for them or cannot be written to.
    """
    listing, home = list_images(root), data_home() / "images"
    try:
        return _known(listing, home) or _made(listing, home)
    except OSError as error:
        raise NotKeptError(
            f"decoded images cannot be kept in {home}: {error.strerror or error}"
        ) from error


def _known(listing: Listing, home: Path) -> Decoded | None:
    """What is kept of these files, if it is sound.

    They are read only if they look new and others of the same names and sizes are kept.
    """
    entry = _entry(listing, home)
    if not entry.parent.is_dir():
        return None
    with suppress(
        OSError, ValueError, KeyError, TypeError
    ):  # an entry that cannot be read is as good as none
        kept = json.loads(entry.read_bytes())
        found = _opened(listing, home / kept["content"])
        some = _some_of(listing)
        if found is not None and kept["some"] == [digest(listing.path(index)) for index in some]:
            return found
    digests = list(chain.from_iterable(each(listing, digest, "Reading images")))
    found = _opened(listing, home / content_of(listing, digests))
    if found is not None:
        _remember(listing, home, found.folder.content, digests)
    return found


def _made(listing: Listing, home: Path) -> Decoded:
    """Decode all files into a folder aside, and put it in its place."""
    home.mkdir(parents=True, exist_ok=True)
    _sweep(home)
    aside = home / f".making-{os.getpid()}-{secrets.token_hex(4)}"
    aside.mkdir()
    try:
        form, made = _first_form(listing), None
        while (
            made is None or made.folder.form != form
        ):  # a second time if the first looks were wrong
            form = form if made is None else made.folder.form
            (aside / PIXELS).unlink(missing_ok=True)
            _ask_for_room(home, len(listing) * form.nbytes)
            made, digests = _decode(listing, form, aside)
        _describe(made, listing, aside)
        found = _put(made, listing, aside, home / made.folder.content)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    _remember(listing, home, found.folder.content, digests)
    return found


def _first_form(listing: Listing) -> Form:
    """The form of some files, spread over all: in nearly every folder that of all of
    them."""
    some = range(0, len(listing), max(len(listing) // FIRST_LOOKS, 1))
    seen = [
        taken.seen
        for taken in (take(listing.path(index)) for index in some)
        if isinstance(taken.seen, Seen)
    ]
    return common_form(seen) if seen else Form("L", (1, 1), sixteen_bit=False)


def _ask_for_room(home: Path, needed: int) -> None:
    free = shutil.disk_usage(home).free - SPARE
    if free < needed:
        raise NotKeptError(
            f"decoded images are not kept: {home} has {max(free, 0) / 2**30:.1f} GiB to spare "
            f"and they need {needed / 2**30:.1f} GiB; "
            "make room, or set EQUIPOISE_DATA to another folder"
        )


def _decode(listing: Listing, form: Form, aside: Path) -> tuple[Decoded, list[str | None]]:
    """Write all images in this form, which need not be theirs, and say what there is,
    and the digest of each file."""
    taken: list[Taken] = []
    sums: list[NDArray[np.int64]] = [np.empty((0, 2), np.int64)]
    path = aside / PIXELS
    rows = max(min(CHUNK, CHUNK_BYTES // form.nbytes), 1)
    with (
        path.open("wb") as file,
        closing(each(listing, partial(take, form=form), "Decoding images", rows)) as parts,
    ):
        for part in parts:
            pixels = [one.pixels for one in part if one.pixels is not None]
            if pixels:
                block = np.ascontiguousarray(np.stack(pixels))
                file.write(block.data)
                sums.append(sums_of(block))
            taken += [replace(one, pixels=None) for one in part]
        file.flush()
        os.fsync(file.fileno())
    made = Decoded(gather(listing, taken), path, np.concatenate(sums))
    return made, [one.digest for one in taken]


def _describe(made: Decoded, listing: Listing, aside: Path) -> None:
    write_through(aside / SUMS, made.sums.tobytes())
    kept = set(made.folder.names)
    description = {
        "format": FORMAT,
        "content": made.folder.content,
        "byte_order": sys.byteorder,
        "form": asdict(made.folder.form),
        "images": len(kept),
        "left_out": [name for name in listing.names if name not in kept],
        "notes": made.folder.notes,
        "sums_sha256": hashlib.sha256(made.sums.tobytes()).hexdigest(),
    }
    signed = {**description, "sha256": _digest(description)}
    write_through(aside / DESCRIPTION, json.dumps(signed, indent=2, allow_nan=False).encode())
    sync_folder(aside)


def _put(made: Decoded, listing: Listing, aside: Path, place: Path) -> Decoded:
    """Give `aside` its name, unless another process has been quicker; what lies there
    and is not sound gives way."""
    if place.is_dir():
        found = _opened(listing, place)
        if found is not None:
            return found
        place.rename(spoilt := aside.with_name(f"{aside.name}-spoilt"))
        shutil.rmtree(spoilt, ignore_errors=True)
    try:
        aside.rename(place)
        sync_folder(place.parent)
    except OSError:
        found = _opened(listing, place)
        if found is None:
            raise
        return found
    return replace(made, pixels=place / PIXELS)


def _opened(listing: Listing, place: Path) -> Decoded | None:
    """What `place` keeps of the files of `listing`, or None if it is not there or not
    sound."""
    try:
        description = json.loads((place / DESCRIPTION).read_bytes())
        stated = description.pop("sha256")
        if stated != _digest(description) or (description["format"], description["byte_order"]) != (
            FORMAT,
            sys.byteorder,
        ):
            return None
        form = Form(**description["form"] | {"size": tuple(description["form"]["size"])})
        sums = (place / SUMS).read_bytes()
        size = (place / PIXELS).stat().st_size
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    left_out = set(description["left_out"])
    names = tuple(name for name in listing.names if name not in left_out)
    whole = len(names) == description["images"] and size == len(names) * form.nbytes
    if not whole or hashlib.sha256(sums).hexdigest() != description["sums_sha256"]:
        return None
    folder = ImageFolder(
        listing.root, names, form, tuple(description["notes"]), description["content"]
    )
    found = Decoded(folder, place / PIXELS, np.frombuffer(sums, np.int64).reshape(-1, 2))
    return found if _holds(found) else None


def _holds(found: Decoded) -> bool:
    """Whether some images, spread over all, the first and the last among them, are
    those that the sums were taken of."""
    n = len(found.folder)
    some = (
        np.linspace(0, n - 1, min(n, CHECKED, max(CHECKED_BYTES // found.folder.form.nbytes, 2)))
        .round()
        .astype(int)
    )
    return bool((sums_of(found.values(at_random=True)[some]) == found.sums[some]).all())


def _entry(listing: Listing, home: Path) -> Path:
    return home / "listings" / listing.digest / f"{listing.digest_of_states}.json"


def _some_of(listing: Listing) -> list[int]:
    """A few files, spread over all, the first and the last among them, by number."""
    n = len(listing)
    return sorted({round(place) for place in np.linspace(0, n - 1, min(n, COMPARED))})


def _remember(listing: Listing, home: Path, content: str, digests: list[str | None]) -> None:
    """Keep what the files amount to, so that they need not be read again as long as
    they look as they do; not where some file's bytes could not be had."""
    if None in digests:
        return
    known = {"content": content, "some": [digests[index] for index in _some_of(listing)]}
    with suppress(
        EquipoiseError
    ):  # where nothing can be written, the files are read again the next time
        write_whole(_entry(listing, home), json.dumps(known, allow_nan=False).encode())


def _digest(description: dict[str, Any]) -> str:
    return hashlib.sha256(
        json.dumps(description, sort_keys=True, allow_nan=False).encode()
    ).hexdigest()


def _sweep(home: Path) -> None:
    """Remove what processes that were killed have left unfinished."""
    for left in home.glob(".making-*"):
        with suppress(OSError):  # it has just been finished, or removed
            if (
                time.time() - max(path.stat().st_mtime for path in (left, *left.iterdir()))
                > FORGOTTEN_SECONDS
            ):
                shutil.rmtree(left, ignore_errors=True)

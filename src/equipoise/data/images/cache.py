"""The cache of decoded images on disk, so that a folder is decoded once.

    <data home>/images/<content>/
        pixels              the images, (N, C, H, W), with nothing between them
        sums                each image's sum of values and of squares, (N, 2), int64;
                            of floats, the sums of their halves as whole numbers
        description.json    their form, which files were left out, and notes
    <data home>/images/listings/<names and sizes>/<states>.json
                            the content of a folder whose files look like that

`content` is a SHA-256 of each file's path from the folder and of its bytes, and of how
images are resized. So a folder that was copied or touched is recognised by reading it,
without decoding. If names, sizes and states are all as before, only a few files are
read.

A file's state is the times at which its content and its inode changed, and the inode's
number. It shows that an image was replaced, or changed with its time set back. Not
every file system keeps all of it: FAT, some network mounts and Windows lack the inode's
time or its number. So eight files, spread over the folder, are read and compared too,
which shows a set that was replaced as a whole.

A cached folder is used if its description has the right SHA-256, `sums` the one in the
description, `pixels` the right size, and if some images, spread over all, still have
their sums. The SHA-256 of all pixels would take too long. What is damaged is made
again. The whole cache may be deleted at any time.
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
from dataclasses import asdict, astuple, dataclass, replace
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from equipoise.data.images.decode import Taken, digest, take
from equipoise.data.images.folder import IMAGES_PER_TASK, ImageFolder, content_of, each, gather
from equipoise.data.images.form import AS_FOUND, Form, Resizing, Seen, common_form, form_from
from equipoise.data.images.listing import LeftOut, Listing, list_images
from equipoise.data.images.place import Place
from equipoise.data.images.sums import sums_of
from equipoise.errors import EquipoiseError
from equipoise.utils.atomic_io import data_home, sync_folder, write_atomic, write_synced

FORMAT = 2
PIXELS, SUMS, DESCRIPTION = "pixels", "sums", "description.json"
BLOCK_BYTES = 2**23  # of pixels that a thread decodes before they are written
COMPARED_FILES = 8  # read again, of a folder that looks as before
FORM_FILES = 16  # whose form the others are expected to have, until all are decoded
# Images, and bytes, at most, whose sums are compared when a cached folder is opened.
MAX_CHECKED, MAX_CHECKED_BYTES = 64, 2**22
SPARE_BYTES = 2**26  # left free on the disk
# An unfinished folder that was not written to for so long is of a killed process.
ABANDONED_SECONDS = 86_400


class NotCachedError(EquipoiseError):
    """A folder's decoded images cannot be cached. The message says why."""


@dataclass(frozen=True)
class Decoded:
    """A folder whose decoded images are in the cache."""

    folder: ImageFolder
    pixels: Path
    """The file of the images."""
    sums: NDArray[np.int64]
    """Each image's sum of values and of their squares, (N, 2); of floats, see above."""

    def values(self, *, at_random: bool = False) -> NDArray[Any]:
        """The images, (N, C, H, W), read-only and memory-mapped. `at_random` keeps the
        system from reading ahead."""
        with self.pixels.open("rb") as file:
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        if at_random and hasattr(mmap, "MADV_RANDOM"):
            mapped.madvise(mmap.MADV_RANDOM)
        return np.frombuffer(mapped, self.folder.dtype).reshape(-1, *self.folder.shape)


def decoded(root: Path | Listing, resizing: Resizing = AS_FOUND) -> Decoded:
    """The images below `root`, or of a listing, decoded as `folder.scan` says if they
    are not cached yet.

    Raises:
        RequestError: If none can be read.
        NotCachedError: If the disk has no room for them, or cannot be written to.
    """
    listing = root if isinstance(root, Listing) else list_images(root, resizing)
    home = data_home() / "images"
    try:
        return _known(listing, home) or _made(listing, home)
    except OSError as error:
        raise NotCachedError(
            f"decoded images cannot be cached in {home}: {error.strerror or error}"
        ) from error


def _known(listing: Listing, home: Path) -> Decoded | None:
    """The cached images of these files, if they are there and not damaged.

    The files are read only if they look changed and others of the same names and sizes
    are cached.
    """
    entry = _entry(listing, home)
    if not entry.parent.is_dir():
        return None
    # A listing that cannot be read counts as none.
    with suppress(OSError, ValueError, KeyError, TypeError):
        kept = json.loads(entry.read_bytes()) if listing.states else {}
        found = _opened(listing, home / kept["content"])
        some = _some_of(listing)
        if found is not None and kept["some"] == [digest(_place(listing, index)) for index in some]:
            return found
    digests = list(chain.from_iterable(each(listing, digest, "Reading images")))
    found = _opened(listing, home / content_of(listing, digests))
    if found is not None:
        _remember(listing, home, found.folder.content, digests)
    return found


def _made(listing: Listing, home: Path) -> Decoded:
    """Decode all files into a temporary folder, and move it to its place."""
    home.mkdir(parents=True, exist_ok=True)
    _sweep(home)
    aside = home / f".making-{os.getpid()}-{secrets.token_hex(4)}"
    aside.mkdir()
    try:
        form, made = _first_form(listing), None
        # A second time if the files that were looked at first have another form.
        while made is None or made.folder.form != form:
            form = form if made is None else made.folder.form
            (aside / PIXELS).unlink(missing_ok=True)
            _ask_for_room(home, len(listing) * form.nbytes)
            made, digests = _decode(listing, form, aside)
        _describe(made, aside)
        found = _put(made, listing, aside, home / made.folder.content)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    _remember(listing, home, found.folder.content, digests)
    return found


def _first_form(listing: Listing) -> Form:
    """The form of some files, spread over the folder: nearly always that of all."""
    some = range(0, len(listing), max(len(listing) // FORM_FILES, 1))
    seen = [
        taken.seen
        for taken in (take(_place(listing, index)) for index in some)
        if isinstance(taken.seen, Seen)
    ]
    return common_form(seen, listing.resizing) if seen else Form("L", 1, (1, 1), "uint8")


def _ask_for_room(home: Path, needed: int) -> None:
    free = shutil.disk_usage(home).free - SPARE_BYTES
    if free < needed:
        raise NotCachedError(
            f"decoded images are not cached: {home} has {max(free, 0) / 2**30:.1f} GiB to spare "
            f"and they need {needed / 2**30:.1f} GiB; "
            "make room, or set EQUIPOISE_DATA to another folder"
        )


def _decode(listing: Listing, form: Form, aside: Path) -> tuple[Decoded, list[str | None]]:
    """Write all images in this form, which may turn out not to be the folder's.

    Returns:
        What was decoded, and the digest of each file.
    """
    taken: list[Taken] = []
    sums: list[NDArray[np.int64]] = [np.empty((0, 2), np.int64)]
    path = aside / PIXELS
    rows = max(min(IMAGES_PER_TASK, BLOCK_BYTES // form.nbytes), 1)
    with (
        path.open("wb") as file,
        closing(each(listing, partial(take, form=form), "Decoding images", rows)) as parts,
    ):
        for part in parts:
            pixels = [one.pixels for one in part if one.pixels is not None]
            if pixels:
                block = np.ascontiguousarray(np.stack(pixels))
                file.write(block.data)
                sums.append(_sums(block))
            taken += [replace(one, pixels=None) for one in part]
        file.flush()
        os.fsync(file.fileno())
    made = Decoded(gather(listing, taken), path, np.concatenate(sums))
    return made, [one.digest for one in taken]


def _sums(images: NDArray[Any]) -> NDArray[np.int64]:
    """What shows whether images were damaged: exact sums, of floats those of their
    halves."""
    return sums_of(images.view(np.uint16) if images.dtype.kind == "f" else images)


def _describe(made: Decoded, aside: Path) -> None:
    write_synced(aside / SUMS, made.sums.tobytes())
    folder = made.folder
    description = {
        "format": FORMAT,
        "content": folder.content,
        "byte_order": sys.byteorder,
        "form": asdict(folder.form),
        "range": folder.range,
        "format_of_files": folder.format,
        "images": len(folder),
        "left_out": [astuple(one) for one in folder.unreadable],
        "notes": folder.notes,
        "examples": folder.examples,
        "sums_sha256": hashlib.sha256(made.sums.tobytes()).hexdigest(),
    }
    signed = {**description, "sha256": _digest(description)}
    write_synced(aside / DESCRIPTION, json.dumps(signed, indent=2, allow_nan=False).encode())
    sync_folder(aside)


def _put(made: Decoded, listing: Listing, aside: Path, place: Path) -> Decoded:
    """Move `aside` to its place, unless another process did so. A damaged folder there
    is replaced."""
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
    """The cached images at `place` for the files of `listing`; None if there are none,
    or they are damaged."""
    try:
        description = json.loads((place / DESCRIPTION).read_bytes())
        stated = description.pop("sha256")
        if stated != _digest(description) or (description["format"], description["byte_order"]) != (
            FORMAT,
            sys.byteorder,
        ):
            return None
        form = form_from(description["form"])
        sums = (place / SUMS).read_bytes()
        size = (place / PIXELS).stat().st_size
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    unreadable = tuple(LeftOut(*one) for one in description["left_out"])
    left_out = {one.name for one in unreadable}
    names = tuple(name for name in listing.names if name not in left_out)
    whole = len(names) == description["images"] and size == len(names) * form.nbytes
    if not whole or hashlib.sha256(sums).hexdigest() != description["sums_sha256"]:
        return None
    folder = ImageFolder(
        listing=listing,
        names=names,
        form=form,
        range=tuple(description["range"]),
        format=description["format_of_files"],
        unreadable=unreadable,
        notes=tuple(description["notes"]),
        content=description["content"],
        examples=tuple(description["examples"]),
    )
    found = Decoded(folder, place / PIXELS, np.frombuffer(sums, np.int64).reshape(-1, 2))
    return found if _holds(found) else None


def _holds(found: Decoded) -> bool:
    """Whether some images, spread over all, with the first and the last, have the sums
    that were recorded."""
    n = len(found.folder)
    some = (
        np.linspace(
            0, n - 1, min(n, MAX_CHECKED, max(MAX_CHECKED_BYTES // found.folder.form.nbytes, 2))
        )
        .round()
        .astype(int)
    )
    return bool((_sums(found.values(at_random=True)[some]) == found.sums[some]).all())


def _place(listing: Listing, index: int) -> Place:
    return listing.place(listing.names[index])


def _entry(listing: Listing, home: Path) -> Path:
    return home / "listings" / listing.digest / f"{listing.digest_of_states}.json"


def _some_of(listing: Listing) -> list[int]:
    """The numbers of a few files, spread over all, with the first and the last."""
    n = len(listing)
    return sorted({round(place) for place in np.linspace(0, n - 1, min(n, COMPARED_FILES))})


def _remember(listing: Listing, home: Path, content: str, digests: list[str | None]) -> None:
    """Record the content of the files, so that they need not be read again while they
    look the same; not if some file could not be read."""
    if None in digests:
        return
    known = {"content": content, "some": [digests[index] for index in _some_of(listing)]}
    with suppress(EquipoiseError):  # else the files are read again the next time
        write_atomic(_entry(listing, home), json.dumps(known, allow_nan=False).encode())


def _digest(description: dict[str, Any]) -> str:
    return hashlib.sha256(
        json.dumps(description, sort_keys=True, allow_nan=False).encode()
    ).hexdigest()


def _sweep(home: Path) -> None:
    """Remove what killed processes left unfinished."""
    for left in home.glob(".making-*"):
        with suppress(OSError):  # another process finished or removed it
            if (
                time.time() - max(path.stat().st_mtime for path in (left, *left.iterdir()))
                > ABANDONED_SECONDS
            ):
                shutil.rmtree(left, ignore_errors=True)

"""What the subfolders of a folder of images mean: classes, or the parts of a split.

A folder `train` beside `test`, `val` or `valid` is a split: what is in `test` is held
out, and `val` (or `valid`) is for the metrics while training; without `test`, it is
held out. Classes are then one folder further down. Folders that hold all images, as
archives often have one around everything, mean nothing. StyleGAN's `dataset.json`, in
the folder or in one that holds all images, gives labels to images by their paths.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Any

from equipoise.errors import clipped
from equipoise.utils.atomic_io import read_file

PARTS = {
    "train": "train",
    "training": "train",
    "test": "test",
    "testing": "test",
    "val": "val",
    "valid": "val",
    "validation": "val",
}
LABELS_FILE = "dataset.json"
MAX_LABELS_BYTES = 2**26


@dataclass(frozen=True)
class Arrangement:
    """Labels and split of the images of a folder."""

    labels: tuple[str | int, ...] | None
    """Of each image."""
    parts: tuple[str, ...] | None
    """For each image "train", "test" or "val"; None where folders are no split."""
    notes: tuple[str, ...]
    from_file: bool = False
    """Whether the labels are those of `dataset.json`."""
    labels_file: str | None = None
    """The path from the root of the `dataset.json` that was read; None without one."""

    def indices(self, part: str) -> list[int]:
        """The images of a part."""
        return [index for index, own in enumerate(self.parts or ()) if own == part]


def arrangement_of(root: Path | None, names: Sequence[str]) -> Arrangement:
    """The arrangement of images, given by their paths from the root; None where that is
    no folder, which could have a file of labels."""
    folders = [name.split(os.sep)[:-1] for name in names]
    around = _around(folders)
    folders = [one[len(around) :] for one in folders]
    parts, notes = _split(folders), list[str]()
    if parts is None:
        notes += _outside(folders, names)
    else:
        counts = {part: parts.count(part) for part in ("train", "val", "test") if part in parts}
        held_out = "test" if "test" in counts else "val"
        listed = ", ".join(f"{part} {count:,}" for part, count in counts.items())
        notes.append(f"folders are a split ({listed}), not classes: {held_out} is held out")
    labels: tuple[str | int, ...] | None = None
    labels_file = None if root is None else _labels_file(root, around)
    if root is not None and labels_file is not None:
        labels, note = _labels_of_file(root, labels_file, names)
        notes.append(note)
    from_file = labels is not None
    if labels is None:
        labels = _class_folders(folders, 0 if parts is None else 1)
    return Arrangement(labels, parts, tuple(notes), from_file, labels_file)


def _around(folders: Sequence[list[str]]) -> list[str]:
    """The folders that hold all images, the outermost first.

    Args:
        folders: Those that each image lies in.
    """
    # What the first and the last have in common, those between them have too.
    ends = zip(min(folders, default=[]), max(folders, default=[]), strict=False)
    return [one for one, _ in takewhile(lambda pair: pair[0] == pair[1], ends)]


def _split(folders: Sequence[list[str]]) -> tuple[str, ...] | None:
    """The part of each image, where the first folders are those of a split: `train` and
    at least one other, and no image outside of them."""
    first = [one[0].lower() if one else "" for one in folders]
    known = {PARTS.get(folder) for folder in set(first)}
    if None in known or "train" not in known or len(known) < 2:
        return None
    return tuple(PARTS[folder] for folder in first)


def _outside(folders: Sequence[list[str]], names: Sequence[str]) -> list[str]:
    """A note where only images outside of them keep folders from being a split."""
    of_image = [PARTS.get(one[0].lower(), "") if one else "" for one in folders]
    outside = [name for name, part in zip(names, of_image, strict=True) if not part]
    if "train" not in of_image or len({*of_image} - {""}) < 2:
        return []
    known = sorted({one[0] for one, part in zip(folders, of_image, strict=True) if part})
    return [
        f"the folders {', '.join(known)} are no split, since {len(outside):,} of {len(names):,} "
        f"images lie outside of them, the first {clipped(outside[0])}: move those away to hold "
        "out what is not in train"
    ]


def _class_folders(folders: Sequence[list[str]], depth: int) -> tuple[str, ...] | None:
    """The folder of each image at this depth. None if one lies in none, or all in the
    same."""
    if not all(one[depth:] for one in folders):
        return None
    first = tuple(one[depth] for one in folders)
    return first if len(set(first)) > 1 else None


def _labels_file(root: Path, around: Sequence[str]) -> str | None:
    """The path from the root of the outermost `dataset.json` that is in it, or in a
    folder that holds all images; None without one."""
    places = [os.sep.join([*around[:depth], LABELS_FILE]) for depth in range(len(around) + 1)]
    return next((place for place in places if os.path.exists(root / place)), None)


def _labels_of_file(
    root: Path, place: str, names: Sequence[str]
) -> tuple[tuple[str | int, ...] | None, str]:
    """The labels in a `dataset.json`, {"labels": [[path, label], ...]}, of each image,
    or None; and a note that says so, or why not.

    Args:
        root: The folder of images.
        place: The path of the file from there. Paths in it begin beside it.
        names: The paths of the images from the root.
    """
    try:
        stored = json.loads(read_file(root / place, MAX_LABELS_BYTES))
    except (OSError, ValueError, RecursionError):
        return None, f"{place} is not used: it cannot be read as JSON"
    given = stored.get("labels") if isinstance(stored, dict) else None
    if given is None:
        return None, f"{place} is not used: it has no labels"
    if not isinstance(given, list) or not all(_is_label(entry) for entry in given):
        return None, (
            f"{place} is not used: its labels are not pairs of a path and a whole number or text"
        )
    known, start = dict(given), len(place) - len(LABELS_FILE)
    labels = [known.get(name[start:].replace(os.sep, "/")) for name in names]
    missing = [name for name, label in zip(names, labels, strict=True) if label is None]
    if missing:
        return None, (
            f"{place} is not used: it has no label for {len(missing):,} of {len(names):,} images, "
            f"the first {missing[0]}"
        )
    if len(set(labels)) < 2:
        return None, f"{place} is not used: all its labels are the same"
    return tuple(label for label in labels if label is not None), f"labels are from {place}"


def _is_label(entry: Any) -> bool:
    if not isinstance(entry, list) or len(entry) != 2 or not isinstance(entry[0], str):
        return False
    return isinstance(entry[1], int | str) and not isinstance(entry[1], bool)

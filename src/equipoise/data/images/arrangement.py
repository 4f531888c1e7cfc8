"""What the subfolders of a folder of images mean: classes, or the parts of a split.

A folder `train` beside `test`, `val` or `valid` is a split: what is in `test` is held
out, and `val` (or `valid`) is for the metrics while training; without `test`, it is
held out. Classes are then one folder further down. Folders that hold all images, as
archives often have one around everything, mean nothing. StyleGAN's `dataset.json` gives
labels to images by their paths, wherever they lie.
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

    def indices(self, part: str) -> list[int]:
        """The images of a part."""
        return [index for index, own in enumerate(self.parts or ()) if own == part]


def arrangement_of(root: Path | None, names: Sequence[str]) -> Arrangement:
    """The arrangement of images, given by their paths from the root; None where that is
    no folder, which could have a file of labels."""
    folders = _folders(names)
    parts, notes = _split(folders), list[str]()
    if parts is None:
        notes += _outside(folders, names)
    else:
        counts = {part: parts.count(part) for part in ("train", "val", "test") if part in parts}
        held_out = "test" if "test" in counts else "val"
        listed = ", ".join(f"{part} {count:,}" for part, count in counts.items())
        notes.append(f"folders are a split ({listed}), not classes: {held_out} is held out")
    labels, note = (None, None) if root is None else _labels_of_file(root, names)
    from_file = labels is not None
    if labels is None:
        labels = _class_folders(folders, 0 if parts is None else 1)
    notes += [note] if note else []
    return Arrangement(labels, parts, tuple(notes), from_file)


def _folders(names: Sequence[str]) -> list[list[str]]:
    """The folders that each image lies in, below those that hold all of them."""
    folders = [name.split(os.sep)[:-1] for name in names]
    # What the first and the last have in common, those between them have too.
    ends = zip(min(folders, default=[]), max(folders, default=[]), strict=False)
    shared = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], ends))
    return [one[shared:] for one in folders]


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


def _labels_of_file(
    root: Path, names: Sequence[str]
) -> tuple[tuple[str | int, ...] | None, str | None]:
    """The labels in `dataset.json`, {"labels": [[path, label], ...]}, of each image;
    None without any, and why."""
    try:
        stored = json.loads(read_file(root / LABELS_FILE, MAX_LABELS_BYTES))
    except FileNotFoundError:
        return None, None
    except (OSError, ValueError, RecursionError):
        return None, f"{LABELS_FILE} is not used: it cannot be read as JSON"
    given = stored.get("labels") if isinstance(stored, dict) else None
    if given is None:
        return None, f"{LABELS_FILE} is not used: it has no labels"
    if not isinstance(given, list) or not all(_is_label(entry) for entry in given):
        return None, (
            f"{LABELS_FILE} is not used: its labels are not pairs of a path and a whole number "
            "or text"
        )
    known = dict(given)
    labels = [known.get(name.replace(os.sep, "/")) for name in names]
    missing = [name for name, label in zip(names, labels, strict=True) if label is None]
    if missing:
        return None, (
            f"{LABELS_FILE} is not used: it has no label for {len(missing):,} of {len(names):,} "
            f"images, the first {missing[0]}"
        )
    if len(set(labels)) < 2:
        return None, f"{LABELS_FILE} is not used: all its labels are the same"
    return tuple(label for label in labels if label is not None), f"labels are from {LABELS_FILE}"


def _is_label(entry: Any) -> bool:
    if not isinstance(entry, list) or len(entry) != 2 or not isinstance(entry[0], str):
        return False
    return isinstance(entry[1], int | str) and not isinstance(entry[1], bool)

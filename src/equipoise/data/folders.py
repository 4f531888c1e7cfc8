"""A folder of pictures: PNG, JPEG and WebP; grey, RGB and RGBA; 8 and 16 bit; palettes. Class subfolders become labels."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from equipoise.data.formats import first_line
from equipoise.errors import RequestError

SUFFIXES = {".png", ".jpg", ".jpeg", ".webp"}
CHANNELS_OF_MODE = {"L": 1, "RGB": 3, "RGBA": 4}
DECODERS = 4  # Pillow releases the interpreter's lock while it decodes
MAX_PIXELS = 64_000_000  # a picture that claims more is left out: a decompression bomb, or not for a GAN


@cache
def decoders() -> ThreadPoolExecutor:
    """The threads that decode, the same for every batch."""
    return ThreadPoolExecutor(DECODERS, "decode")


@dataclass(frozen=True)
class PictureFolder:
    """The readable pictures of a folder and the one form that all are brought to: `mode`, `size` (width, height) and bits."""

    root: Path
    files: tuple[Path, ...]
    labels: tuple[str, ...] | None
    mode: str
    size: tuple[int, int]
    sixteen_bit: bool
    notes: tuple[str, ...]

    @property
    def shape(self) -> tuple[int, int, int]:
        """(C, H, W)."""
        return CHANNELS_OF_MODE[self.mode], self.size[1], self.size[0]

    @property
    def dtype(self) -> str:
        return "uint16" if self.sixteen_bit else "uint8"

    def __len__(self) -> int:
        return len(self.files)

    def read(self, indices: list[int]) -> NDArray[Any]:
        """The pictures at `indices` as (n, C, H, W)."""
        return np.stack(list(decoders().map(self._read_one, indices)))

    def _read_one(self, index: int) -> NDArray[Any]:
        array = decode(self.files[index], self.mode, self.size, self.sixteen_bit)
        return array[None] if array.ndim == 2 else array.transpose(2, 0, 1)


def scan(root: Path) -> PictureFolder:
    """Every picture below `root`, opened once to see that it is whole; what cannot be read is left out and named in the notes.

    Pictures of another size than the commonest are cropped to its proportions about their centre and resized to it. Pictures of different
    modes are brought to the richest: any colour makes all RGB, any transparency RGBA. Raises RequestError if none can be read.
    """
    found = sorted(p for p in root.rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file())
    if not found:
        raise RequestError(f"{root} holds no pictures: give a folder of {', '.join(sorted(SUFFIXES))} files")
    looked = list(decoders().map(_look, found))
    unreadable = [(p, reason) for p, reason in zip(found, looked, strict=True) if isinstance(reason, str)]
    good = [(p, seen) for p, seen in zip(found, looked, strict=True) if not isinstance(seen, str)]
    if not good:
        raise RequestError(f"{root}: none of {len(found)} pictures could be read; the first, {found[0].name}: {looked[0]}")
    notes = [f"{len(unreadable)} of {len(found)} pictures left out: {_some(unreadable, root)}"] if unreadable else []
    size, resized = _common_size([seen.size for _, seen in good])
    if resized:
        notes.append(
            f"{resized} of {len(good)} pictures were not {size[0]} x {size[1]}, the commonest size: cropped about the centre and resized"
        )
    modes = Counter(seen.mode for _, seen in good)
    mode = max(modes, key=lambda name: CHANNELS_OF_MODE[name])
    if len(modes) > 1:
        notes.append(f"modes {', '.join(f'{name} ({count})' for name, count in modes.most_common())}: all read as {mode}")
    files = tuple(p for p, _ in good)
    deep = [seen.sixteen_bit for _, seen in good]
    return PictureFolder(root, files, _class_labels(root, files), mode, size, all(deep) and mode == "L", tuple(notes))


@dataclass(frozen=True)
class _Seen:
    size: tuple[int, int]
    mode: str
    sixteen_bit: bool


def _look(path: Path) -> _Seen | str:
    """What the picture is, or why it cannot be read."""
    try:
        with Image.open(path) as image:
            if image.width * image.height > MAX_PIXELS:
                return f"{image.width} x {image.height} pixels is too large"
            size = ImageOps.exif_transpose(image).size  # decodes the whole picture, so a truncated one shows here
            return _Seen(size, _mode(image), image.mode.startswith("I"))
    except Exception as error:  # Pillow's decoders raise whatever a damaged file leads them to
        return first_line(error).replace(str(path), path.name)


def _mode(image: Image.Image) -> str:
    """L, RGB or RGBA: what the picture's own mode amounts to."""
    if "transparency" in image.info or image.mode in ("RGBA", "LA", "PA", "La", "RGBa"):
        return "RGBA"
    if image.mode == "P":
        palette = image.getpalette() or []
        grey = palette[0::3] == palette[1::3] == palette[2::3]
        return "L" if grey else "RGB"
    return "L" if image.mode in ("1", "L", "I", "F") or image.mode.startswith("I;") else "RGB"


def decode(path: Path, mode: str, size: tuple[int, int], sixteen_bit: bool) -> NDArray[Any]:
    """One picture as (H, W) or (H, W, C), uint8, or uint16 where all of the folder's are 16-bit grey."""
    with Image.open(path) as opened:
        image = ImageOps.exif_transpose(opened)
        if image.mode.startswith("I"):
            grey = image.convert("I")
            if sixteen_bit:
                fitted = grey.convert("F") if grey.size == size else _fit(grey.convert("F"), size)
                return np.asarray(fitted).round().clip(0, 65535).astype(np.uint16)
            image = Image.fromarray((np.asarray(grey) / 257).round().clip(0, 255).astype(np.uint8))
        if image.mode == "P":
            image = image.convert("RGBA" if "transparency" in image.info else "RGB")
        image = image.convert(mode)
        return np.asarray(image if image.size == size else _fit(image, size))


def _fit(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    return ImageOps.fit(image, size, Image.Resampling.LANCZOS)


def _common_size(sizes: list[tuple[int, int]]) -> tuple[tuple[int, int], int]:
    """The commonest (width, height), the smaller of equals, and how many differ from it."""
    counts = Counter(sizes)
    size = min(counts, key=lambda s: (-counts[s], s))
    return size, len(sizes) - counts[size]


def _class_labels(root: Path, files: tuple[Path, ...]) -> tuple[str, ...] | None:
    """The first folder below root that each file lies in, if all lie in one and there are at least two."""
    parts = [path.relative_to(root).parts for path in files]
    if any(len(part) < 2 for part in parts) or len({part[0] for part in parts}) < 2:
        return None
    return tuple(part[0] for part in parts)


def _some(unreadable: list[tuple[Path, str]], root: Path) -> str:
    shown = "; ".join(f"{path.relative_to(root)} ({reason})" for path, reason in unreadable[:3])
    return shown + ("; ..." if len(unreadable) > 3 else "")

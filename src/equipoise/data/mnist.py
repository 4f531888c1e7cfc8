"""MNIST, the handwritten digits of LeCun, Cortes and Burges: 60,000 to train on and 10,000 to test with, 28 x 28, grey.

The four files are looked for in `$EQUIPOISE_DATA/mnist` (default `~/.cache/equipoise/mnist`), gzip-compressed or not, and
downloaded there if they are missing. What is checked is the content, uncompressed, since mirrors compress differently.
"""

from __future__ import annotations

import gzip
import hashlib
import zlib
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import numpy as np
from numpy.typing import NDArray

from equipoise.data.files import data_home, write_whole
from equipoise.data.waiting import bar
from equipoise.errors import EquipoiseError

MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
)
SHA256 = {
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}
IMAGES_HEADER, LABELS_HEADER = 16, 8  # bytes before the pixels and before the labels in the IDX format
TIMEOUT_SECONDS = 20


def load(split: str) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """The pictures, (N, 28, 28), and digits, (N,), of `split`: "train" (N = 60,000) or "test" (N = 10,000).

    Raises EquipoiseError when a file is neither there nor to be had, or does not hold what was published.
    """
    stem = {"train": "train", "test": "t10k"}[split]
    images = np.frombuffer(_content(f"{stem}-images-idx3-ubyte"), np.uint8, offset=IMAGES_HEADER)
    labels = np.frombuffer(_content(f"{stem}-labels-idx1-ubyte"), np.uint8, offset=LABELS_HEADER)
    return images.reshape(-1, 28, 28), labels


def _content(name: str) -> bytes:
    """The uncompressed, checked bytes of one file."""
    folder = data_home() / "mnist"
    for path in (folder / name, folder / f"{name}.gz"):
        if path.is_file():
            content = _checked(path.read_bytes(), name)
            if content is None:
                raise EquipoiseError(f"{path} is not the published MNIST file: its SHA-256 differs; delete it and it is fetched again")
            return content
    content, packed = _download(name, folder)
    write_whole(folder / f"{name}.gz", packed)
    return content


def _checked(raw: bytes, name: str) -> bytes | None:
    """`raw` uncompressed, or None if it is not the published content."""
    try:
        content = gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw
    except (OSError, EOFError, zlib.error):
        return None
    return content if hashlib.sha256(content).hexdigest() == SHA256[name] else None


def _download(name: str, folder: Path) -> tuple[bytes, bytes]:
    """The content of one file and its compressed bytes, from the first mirror that has it whole."""
    for mirror in MIRRORS:
        try:
            packed = _fetch(f"{mirror}{name}.gz", name)
        except (URLError, OSError):
            continue
        content = _checked(packed, name)
        if content is not None:
            return content, packed
    wanted = ", ".join(f"{file}.gz" for file in SHA256)
    raise EquipoiseError(
        f"MNIST is not in {folder} and no mirror could be reached: put {wanted} there, or point EQUIPOISE_DATA at the folder above"
    )


def _fetch(url: str, name: str) -> bytes:
    """The bytes at `url`, read behind a progress bar."""
    chunks: list[bytes] = []
    with (
        urlopen(url, timeout=TIMEOUT_SECONDS) as answer,
        bar(f"Downloading {name}", int(answer.headers.get("Content-Length") or 0) or None) as done,
    ):
        while chunk := answer.read(1 << 16):
            chunks.append(chunk)
            done(len(chunk))
    return b"".join(chunks)

"""MNIST, the handwritten digits of LeCun, Cortes and Burges: 60,000 for training and
10,000 for testing, 28 x 28, grayscale.

The four files are looked for in `$EQUIPOISE_DATA/mnist` (default
`~/.cache/equipoise/mnist`), gzip-compressed or not, and downloaded there if they are
missing. The uncompressed content is checked, since mirrors compress differently.
"""

from __future__ import annotations

import hashlib
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from equipoise.data.downloads import NotDownloadedError, download
from equipoise.errors import EquipoiseError
from equipoise.utils.atomic_io import data_home

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
# Bytes before the pixels and before the labels in the IDX format.
IMAGES_HEADER, LABELS_HEADER = 16, 8
MAX_BYTES = IMAGES_HEADER + 60_000 * 28 * 28  # of the largest file, uncompressed
GZIP = 16 + zlib.MAX_WBITS


def load(split: str) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """The images, (N, 28, 28), and digits, (N,), of `split`: "train" (N = 60,000) or
    "test" (N = 10,000).

    Raises:
        EquipoiseError: If a file is missing and cannot be downloaded, or does not hold
            what was published.
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
                raise EquipoiseError(
                    f"{path} is not the published MNIST file: its SHA-256 differs; delete it, "
                    "and it is downloaded again"
                )
            return content
    return _downloaded(name, folder)


def _checked(raw: bytes, name: str) -> bytes | None:
    """`raw` uncompressed, or None if it is not the published content.

    No more is unpacked than the largest file has.
    """
    if raw[:2] == b"\x1f\x8b":
        try:
            raw = zlib.decompressobj(GZIP).decompress(raw, MAX_BYTES + 1)
        except zlib.error:
            return None
    return raw if hashlib.sha256(raw).hexdigest() == SHA256[name] else None


def _downloaded(name: str, folder: Path) -> bytes:
    """The content of a missing file, from the first mirror that has it."""
    path = folder / f"{name}.gz"
    urls = [f"{mirror}{name}.gz" for mirror in MIRRORS]
    try:
        packed = download(urls, path, lambda raw: _checked(raw, name) is not None, MAX_BYTES)
    except NotDownloadedError as error:
        wanted = ", ".join(f"{file}.gz" for file in SHA256)
        raise EquipoiseError(
            f"MNIST is not in {folder} and could not be downloaded ({error}): put {wanted} there, "
            "or set EQUIPOISE_DATA to the folder above"
        ) from None
    except OSError as error:
        raise EquipoiseError(f"{path} could not be written: {error.strerror or error}") from error
    content = _checked(packed, name)
    assert content is not None, "what was downloaded has been checked"
    return content

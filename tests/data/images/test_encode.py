"""Samples are written in the data's own format, and read back as they were."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from equipoise.data.factory import open_source
from equipoise.data.images.encode import ImageEncoder
from equipoise.data.images.folder import scan
from equipoise.data.schema import Schema

RNG = np.random.default_rng(0)


@pytest.mark.parametrize(
    ("name", "mode"),
    [
        ("a.png", "RGB"),
        ("a.png", "RGBA"),
        ("a.png", "L"),
        ("a.png", "I;16"),
        ("a.tif", "RGB"),
        ("a.tif", "F"),
        ("a.tif", "I;16"),
        ("a.bmp", "RGB"),
        ("a.ppm", "RGB"),
        ("a.pgm", "L"),
        ("a.webp", "RGB"),
    ],
)
def test_what_is_written_is_what_is_read(tmp_path: Path, name: str, mode: str) -> None:
    for i in range(4):
        bands = 1 if mode in ("L", "I;16", "F") else len(mode)
        values = RNG.integers(1, 256, (5, 8, bands))
        kind = {"I;16": np.uint16, "F": np.float32}.get(mode, np.uint8)
        image = Image.fromarray(values.squeeze().astype(kind) * (1 if kind is np.uint8 else 16))
        image.save(tmp_path / f"{i}{name[1:]}", lossless=True)
    source, folder = open_source(tmp_path), scan(tmp_path)
    encoder = ImageEncoder.of(source.schema, source.limits, source.file_format)
    assert encoder.ending == name[1:]
    (tmp_path / "out").mkdir()
    values = folder.read([0, 1, 2, 3])
    for i, sample in enumerate(values):
        (tmp_path / f"out/{i}{encoder.ending}").write_bytes(encoder.encode(sample))
    back = scan(tmp_path / "out")
    assert (back.form, back.format) == (folder.form, folder.format)
    np.testing.assert_array_equal(back.read([0, 1, 2, 3]), values)


def test_pages_are_written_as_pages(tmp_path: Path) -> None:
    for i in range(3):
        first, *others = [
            Image.fromarray(page) for page in RNG.integers(0, 99, (3, 5, 8), np.uint8)
        ]
        first.save(tmp_path / f"{i}.tif", save_all=True, append_images=others)
    source, values = open_source(tmp_path), scan(tmp_path).read([0])
    encoder = ImageEncoder.of(source.schema, source.limits, source.file_format)
    (tmp_path / "out").mkdir()
    (tmp_path / "out/0.tif").write_bytes(encoder.encode(values[0]))
    np.testing.assert_array_equal(scan(tmp_path / "out").read([0]), values)


@pytest.mark.parametrize(
    ("schema", "file_format", "written"),
    [
        (Schema((3, 4, 4), "NHWC", "uint8"), "GIF", ("PNG", "RGB", False)),
        (Schema((4, 4, 4), "NHWC", "uint8", alpha=True), "JPEG", ("PNG", "RGBA", False)),
        (Schema((4, 4, 4), "NCHW", "uint8"), None, ("TIFF", "L", True)),
        (Schema((2, 4, 4), "NCHW", "uint16"), None, ("TIFF", "I;16", True)),
        (Schema((1, 4, 4), "NHW", "uint16"), None, ("PNG", "I;16", False)),
        (Schema((3, 4, 4), "NCHW", "float32"), None, ("PNG", "RGB", False)),
        (Schema((3, 4, 4), "NCHW", "uint8"), None, ("PNG", "RGB", False)),
    ],
)
def test_what_a_format_cannot_hold_becomes_png_or_tiff(
    schema: Schema, file_format: str | None, written: tuple[str, str, bool]
) -> None:
    encoder = ImageEncoder.of(schema, (0.0, 1.0), file_format)
    assert (encoder.format.name, encoder.mode, encoder.is_paged) == written
    assert encoder.encode(np.ones(schema.shape, schema.dtype))


def test_floats_of_an_array_are_brought_to_eight_bit_by_their_range() -> None:
    encoder = ImageEncoder.of(Schema((1, 1, 3), "NHW", "float64"), (-1.0, 1.0), None)
    import io

    content = encoder.encode(np.array([[[-1.0, 0.0, 1.0]]]))
    assert np.asarray(Image.open(io.BytesIO(content))).tolist() == [[0, 128, 255]]

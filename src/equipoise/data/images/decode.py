"""Decoding of image files, and conversion to the one form that a folder's images
have."""

from __future__ import annotations

import hashlib
import io
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from equipoise.data.images.deep_png import deep_colours, has_reduced_colours
from equipoise.data.images.form import DEPTHS, Form, Mode, Seen
from equipoise.data.images.formats import check_pixels, opened
from equipoise.data.images.place import Place, content_at
from equipoise.data.images.tiff import MAX_DIRECTORIES, MAX_PAGES, REDUCED_COPY, has_more_pages
from equipoise.data.images.tiff_samples import samples_of
from equipoise.errors import first_line

MAX_BYTES = 2**29
# Part of a folder's hash. Raise it when decoding changes, so that cached images are
# decoded again.
DECODER = 4
SINGLE_CHANNEL = ("1", "L", "I", "F", "I;16", "I;16B", "I;16L", "I;16N")
WITH_ALPHA = ("RGBA", "LA", "PA", "La", "RGBa")

Array = NDArray[Any]


@dataclass(frozen=True)
class Taken:
    """One file: what it is, or why it cannot be read; the SHA-256 of its bytes, None if
    they cannot be read; and its pixels, (C, H, W), if they were asked for and the image
    can be brought to the form."""

    seen: Seen | str
    digest: str | None
    pixels: Array | None = None


def take(place: Place, form: Form | None = None) -> Taken:
    """Read one file once: hash it, see what it is, decode the whole of it and bring it
    to `form`. Whatever is wrong with it is told in words."""
    try:
        content = content_at(place, MAX_BYTES)
    except OSError as error:
        return Taken(_reason(error, str(place), place.name), None)
    found = hashlib.sha256(content).hexdigest()
    try:
        seen, decoded = _decoded(content)
        if form is None or form.misfit(seen) is not None:
            return Taken(seen, found)
        return Taken(seen, found, _in_form(decoded, form))
    except Exception as error:  # Pillow's decoders raise whatever a damaged file leads them to
        return Taken(_reason(error, "", place.name), found)


def thumbnail(path: Path, side: int) -> bytes | None:
    """A PNG of the image in a file, at most `side` pixels wide and high; None if it
    cannot be read."""
    small = io.BytesIO()
    try:
        content = content_at(path, MAX_BYTES)
        if (samples := samples_of(content)) is not None:
            image = _drawn(samples[0])
        else:
            image = opened(content)
        with image:
            image.thumbnail((side, side))
            mode = "RGBA" if _mode(image) == "RGBA" else "RGB"
            image.convert(mode).save(small, "PNG", optimize=True)
    except Exception:  # as in `take`
        return None
    return small.getvalue()


def before_and_after(place: Place, form: Form) -> tuple[Image.Image, Array] | None:
    """An image as it is in its file, upright and in 8 bit, and its pixels in a form,
    (C, H, W); None if it cannot be read any more."""
    try:
        seen, decoded = _decoded(content_at(place, MAX_BYTES))
        if form.misfit(seen) is not None:
            return None
        after = _in_form(decoded, form)
    except Exception:  # as in `take`
        return None
    if isinstance(decoded, Image.Image):
        return decoded, after
    return _drawn(decoded), after


def digest(place: Place) -> str | None:
    """The SHA-256 of a file's bytes; None if it cannot be read."""
    try:
        content = place.read_bytes() if isinstance(place, Path) else place.read(MAX_BYTES)
        return hashlib.sha256(content).hexdigest()
    except OSError:
        return None


def _reason(error: Exception, given: str, name: str) -> str:
    """An error's message in one line, with the file's name in place of `given`, and
    without the address of the buffer that Pillow names."""
    line = first_line(error)
    if "<_io.BytesIO object" in line:
        return "cannot identify image file"
    return line.replace(given, name) if given else line


def _decoded(content: bytes) -> tuple[Seen, Image.Image | Array]:
    """What an image is, and its pixels: of 8 bit as Pillow has them, in the mode that
    is said; of 16 bit, floats or channels, (C, H, W)."""
    if (samples := samples_of(content)) is not None:
        return _seen(*samples, "TIFF", has_more_pages(content)), samples[0]
    with opened(content) as image:
        return _decoded_image(image, content)


def _seen(values: Array, mode: Mode, name: str, more: bool = False) -> Seen:
    """What an image of these values is, (C, H, W), of the format of this name."""
    channels, height, width = values.shape
    low, high = float(values.min()), float(values.max())
    depth = DEPTHS[values.dtype.name]
    return Seen((width, height), mode, channels, depth, low, high, name, more)


def _decoded_image(image: Image.Image, content: bytes) -> tuple[Seen, Image.Image | Array]:
    more, pages = _pages(image)
    if pages is not None:
        channels = np.stack(pages)
        return _seen(channels, "channels", image.format or ""), channels
    if not more and (deep := deep_colours(image, content)) is not None:
        return _seen(deep, "RGB" if len(deep) == 3 else "RGBA", image.format or ""), deep
    reduced = has_reduced_colours(image)
    image.load()  # the whole image, so that a truncated one shows here
    ImageOps.exif_transpose(image, in_place=True)
    name = "JPEG" if image.format == "MPO" else image.format or ""  # two JPEGs in one
    if image.mode in ("I", "F") or image.mode.startswith("I;"):
        values = _channel(image)[None]
        return _seen(values, "L", name, more), values
    mode = _mode(image)
    if image.mode == "P":
        image = image.convert("RGBA" if "transparency" in image.info else "RGB")
    colours = image.convert(mode)
    seen = Seen(colours.size, mode, len(colours.getbands()), "uint8", 0, 0, name, more, reduced)
    return seen, colours


def _pages(image: Image.Image) -> tuple[bool, list[Array] | None]:
    """Whether a file has more than the image that is looked at, and the channels of a
    TIFF whose pages have one channel each, (H, W), of one size."""
    if image.format != "TIFF":
        more = False
        with suppress(Exception):  # of a damaged frame that is not read
            more = bool(getattr(image, "is_animated", False))
        return more, None
    found: list[int] = []
    kinds: set[tuple[tuple[int, int], str]] = set()
    for page in count():
        try:
            image.seek(page)
        except EOFError:
            break
        if page > MAX_DIRECTORIES:
            raise ValueError(f"it has more than {MAX_DIRECTORIES} pages")
        tags = getattr(image, "tag_v2", {})
        if not int(tags.get(REDUCED_COPY, 0)) & 1 or page == 0:
            found.append(page)
            kinds.add((image.size, image.mode))
    image.seek(0)
    if len(found) == 1:
        return False, None
    if len(kinds) > 1 or image.mode not in SINGLE_CHANNEL:
        return True, None
    if len(found) > MAX_PAGES:
        raise ValueError(f"it has {len(found)} pages: at most {MAX_PAGES} can be channels")
    check_pixels(image.width * len(found), image.height)
    pages = []
    for page in found:
        image.seek(page)
        image.load()
        pages.append(_channel(image))
    dtype = np.result_type(*pages)
    return False, [page.astype(dtype, copy=False) for page in pages]


def _channel(image: Image.Image) -> Array:
    """The values of an image of one channel, (H, W): uint8, uint16 or float32.

    Raises:
        ValueError: If some are not numbers.
    """
    if image.mode in ("1", "L"):
        return np.asarray(image.convert("L"))
    values = np.asarray(image)
    if image.mode == "F":
        if not np.isfinite(values).all():
            raise ValueError("it holds NaN or infinity")
        return values.astype(np.float32)
    fits = values.min() >= 0 and values.max() <= np.iinfo(np.uint16).max
    return values.astype(np.uint16 if fits else np.float32)


def _mode(image: Image.Image) -> Mode:
    """L, RGB or RGBA, whatever Pillow's own mode is."""
    if "transparency" in image.info or image.mode in WITH_ALPHA:
        return "RGBA"
    if image.mode == "P":
        palette = image.getpalette() or []
        grey = palette[0::3] == palette[1::3] == palette[2::3]
        return "L" if grey else "RGB"
    return "L" if image.mode in SINGLE_CHANNEL else "RGB"


def _in_form(decoded: Image.Image | Array, form: Form) -> Array:
    """Pixels in this form, (C, H, W). Colours under full transparency are black: what
    they are in the file says nothing."""
    if not isinstance(decoded, Image.Image):
        if decoded.dtype == form.depth:
            return _array_in_form(decoded, form)
        # 16 bit beside images of 8.
        decoded = _eight_bit(decoded, 0.0, form.white)
    array = np.asarray(_resized(decoded.convert(form.mode), form))
    array = array[None] if array.ndim == 2 else array.transpose(2, 0, 1)
    if form.mode == "RGBA":
        array = array * (array[3] > 0)
    # If 16 bit were a first guess, this image makes the folder an 8-bit one.
    return array.astype(form.depth, copy=False)


def _array_in_form(values: Array, form: Form) -> Array:
    """Values of more than 8 bit, or of channels, (C, H, W), in the form's channels and
    size. The colours of what can be transparent are resized in proportion to their
    opacity, as Pillow does it."""
    # Of a first guess that was too poor, which this image makes richer.
    values = values[: form.channels]
    if form.mode in ("RGB", "RGBA") and len(values) == 1:
        values = np.repeat(values, 3, 0)
    if form.mode != "RGBA":
        return np.stack([_resized_channel(channel, form) for channel in values])
    opaque = np.iinfo(np.uint16).max
    if len(values) == 3:
        values = np.concatenate([values, np.full_like(values[:1], opaque)])
    if form.crop or values.shape[1:] != form.shape[1:]:
        colours, alpha = values[:3] * (values[3] / opaque), values[3]
        alpha = _resized_channel(alpha, form, border=0.0)
        premultiplied = np.stack([_resized_channel(one, form, border=0.0) for one in colours])
        straight = premultiplied / np.maximum(alpha / opaque, 1 / opaque)
        straight = straight.round().clip(0, opaque).astype(values.dtype)
        values = np.concatenate([straight, alpha[None]])
    visible: Array = values * (values[3] > 0)
    return visible


def _resized_channel(values: Array, form: Form, border: float | None = None) -> Array:
    """One channel of 8 or 16 bit or of floats, (H, W), in the form's size."""
    image = Image.fromarray(values.astype(np.float32))
    resized = np.asarray(_resized(image, form, border))
    if values.dtype.kind == "u":
        resized = resized.round()
    low = values.min() if border is None else min(values.min(), border)
    return resized.clip(low, values.max()).astype(values.dtype)


def _eight_bit(values: Array, low: float, high: float) -> Image.Image:
    """An image of values, (C, H, W), with 1, 3 or 4 channels."""
    scaled = (values.astype(np.float64) - low) / max(high - low, 1e-12) * 255
    pixels = scaled.round().clip(0, 255).astype(np.uint8)
    shown = pixels[0] if len(pixels) == 1 else pixels.transpose(1, 2, 0)
    return Image.fromarray(np.ascontiguousarray(shown))


def _drawn(values: Array) -> Image.Image:
    """A drawing of values, (C, H, W): of their first three channels, or of one."""
    shown = values[:3] if len(values) > 2 else values[:1]
    return _eight_bit(shown, float(shown.min()), float(shown.max()))


def _resized(image: Image.Image, form: Form, border: float | None = None) -> Image.Image:
    """An image in the form's size: cropped about its centre, or whole with a border, of
    the image's own colour unless it is given."""
    if form.crop:
        width, height = form.crop
        left, top = (image.width - width) // 2, (image.height - height) // 2
        image = image.crop((left, top, left + width, top + height))
    if image.size == form.size:
        return image
    if not form.fit:
        return ImageOps.fit(image, form.size, Image.Resampling.LANCZOS)
    inner = ImageOps.contain(image, form.size, Image.Resampling.LANCZOS)
    whole = Image.new(image.mode, form.size, _border(image) if border is None else border)
    place = (form.size[0] - inner.width) // 2, (form.size[1] - inner.height) // 2
    whole.paste(inner, place)
    return whole


def _border(image: Image.Image) -> Any:
    """What surrounds an image that is kept whole: nothing where it can be transparent,
    else the median colour along its edges."""
    if image.mode == "RGBA":
        return (0, 0, 0, 0)
    array = np.asarray(image)
    edges = np.concatenate([array[0], array[-1], array[:, 0], array[:, -1]])
    middle = np.median(edges, axis=0)
    if image.mode == "F":
        return float(middle)
    return int(middle) if middle.ndim == 0 else tuple(int(value) for value in middle)

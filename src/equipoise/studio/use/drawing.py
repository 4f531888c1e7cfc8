"""Samples as the page shows them: images on one sheet, rows beside real ones, plots."""

from __future__ import annotations

import base64
import io
import math
from collections import OrderedDict
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from equipoise.errors import RequestError
from equipoise.studio.cells import cell_text
from equipoise.studio.use.asked import Asked
from equipoise.studio.use.generators import Loaded

if TYPE_CHECKING:
    import pandas as pd

MAX_SHEET = 2048  # pixels of a side of a sheet of images
SHOWN_ROWS, MAX_NUMBERS = 20, 12  # of a table; numbers of a summary
KEPT = 12  # results of images that are held, of MAX_KEPT_BYTES together
MAX_KEPT_BYTES = 2**28
NEIGHBOURS = 5

Pixels = NDArray[np.uint8]


class Sheets:
    """Images that were drawn of late: each is asked for again when it is opened."""

    def __init__(self) -> None:
        self._lock, self._kept = Lock(), OrderedDict[object, Pixels]()

    def images(self, loaded: Loaded, asked: Asked) -> Pixels:
        """Images of shape (N, H, W, C), drawn or kept.

        Raises:
            RequestError: As `GAN.sample`, and for samples that are no images.
        """
        key = (loaded.path, loaded.state, asked)
        with self._lock:
            found = self._kept.get(key)
        if found is None:
            found = as_pixels(loaded, asked)
            self._keep(key, found)
        return found

    def _keep(self, key: object, images: Pixels) -> None:
        with self._lock:
            self._kept[key] = images
            total = sum(one.nbytes for one in self._kept.values())
            while len(self._kept) > KEPT or (total > MAX_KEPT_BYTES and len(self._kept) > 1):
                total -= self._kept.popitem(last=False)[1].nbytes


def as_pixels(loaded: Loaded, asked: Asked) -> Pixels:
    """Images in 8 bit, (N, H, W, C). Raises as `Sheets.images`."""
    gan = loaded.gan
    if not gan.schema.is_image:
        raise RequestError("these samples are no images")
    return gan.pixels(gan.sample(asked.n, **asked.arguments(gan.schema)))


def sheet(images: Pixels) -> tuple[bytes, dict[str, int]]:
    """Images side by side as one PNG, made smaller where it would be too large.

    Returns:
        The PNG; and "columns", "width" and "height" of each image in it.
    """
    from PIL import Image

    n, height, width, channels = images.shape
    columns = math.ceil(math.sqrt(n * height / width))
    rows = math.ceil(n / columns)
    factor = min(1.0, MAX_SHEET / max(columns * width, rows * height))
    small = max(round(width * factor), 1), max(round(height * factor), 1)
    tiles = images
    if factor < 1:
        tiles = np.stack(
            [
                np.asarray(_image(one).resize(small, Image.Resampling.LANCZOS)).reshape(
                    small[1], small[0], channels
                )
                for one in images
            ]
        )
    page = np.zeros((rows * columns, small[1], small[0], channels), np.uint8)
    page[:n] = tiles
    page = page.reshape(rows, columns, small[1], small[0], channels).swapaxes(1, 2)
    whole = page.reshape(rows * small[1], columns * small[0], channels)
    return png_of(whole), {"columns": columns, "width": small[0], "height": small[1]}


def png_of(pixels: Pixels) -> bytes:
    """An image, (H, W, C), as a PNG."""
    buffer = io.BytesIO()
    _image(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def _image(pixels: Pixels) -> Any:
    from PIL import Image

    return Image.fromarray(
        np.ascontiguousarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)
    )


def neighbours(loaded: Loaded, index: int, asked: Asked) -> dict[str, Any]:
    """The training images that are nearest to one that was generated, as data URIs.

    Raises:
        RequestError: The training data is not there, or has no images that stay.
    """
    gan = loaded.gan
    images: Any = gan.sample(index + 1, **asked.arguments(gan.schema))
    found = gan.nearest(images[index:], NEIGHBOURS)
    return {
        "nearest": [data_uri(png_of(one)) for one in gan.pixels(found.samples[0])],
        "distances": found.distances[0].tolist(),
        "among": found.searched,
    }


def data_uri(png: bytes) -> str:
    """A PNG as an address of its own."""
    return "data:image/png;base64," + base64.b64encode(png).decode()


def rows(loaded: Loaded, asked: Asked) -> dict[str, Any]:
    """Rows of a table, a summary of each column, and the same of real rows.

    Raises:
        RequestError: As `GAN.sample`.
    """
    gan = loaded.gan
    frame: Any = gan.sample(asked.n, **asked.arguments(gan.schema))
    real = real_rows(loaded, asked.n)
    return {
        "names": [str(name) for name in frame.columns],
        "generated": _cells(frame),
        "real": None if real is None else _cells(real),
        "drawn": frame.attrs.get("drawn"),
        "summaries": [
            {
                "name": str(name),
                "generated": summary(frame.iloc[:, place]),
                "real": None if real is None else summary(real.iloc[:, place]),
            }
            for place, name in enumerate(frame.columns)
        ],
    }


def real_rows(loaded: Loaded, n: int) -> pd.DataFrame | None:
    """Held-out rows of a table; None where they are not there."""
    source, schema = loaded.source, loaded.gan.schema
    if source is None or schema.container != "frame" or schema.series is not None:
        return None
    labelled = source.labelled(n, 0, held_out=True)
    if labelled is None:
        values, labels = source.held_out(n, 0), None
    else:
        values, positions = labelled
        labels = positions.numpy()
    frame: Any = schema.to_user(values.double().numpy(), labels, 0, 0)
    found: pd.DataFrame = frame
    return found


def summary(column: pd.Series[Any]) -> dict[str, Any]:
    """A column in a few numbers: of numbers the mean, the standard deviation and the
    quartiles; of anything else the commonest values with their shares."""
    blanks = float(column.isna().mean()) if len(column) else 0.0
    known = column.dropna()
    if known.dtype.kind in "iuf" and len(known):
        values = known.astype(float)
        quantiles = values.quantile([0.0, 0.25, 0.5, 0.75, 1.0]).tolist()
        return {
            "kind": "numbers",
            "mean": float(values.mean()),
            "std": float(values.std(ddof=0)),
            "quantiles": [float(one) for one in quantiles],
            "blanks": blanks,
        }
    counts = known.astype(str).value_counts(normalize=True).head(MAX_NUMBERS)
    shares = {str(value)[:80]: float(share) for value, share in counts.items()}
    return {"kind": "values", "shares": shares, "blanks": blanks}


def _cells(frame: pd.DataFrame) -> list[list[str]]:
    some = frame.head(SHOWN_ROWS).to_numpy(object)
    return [[cell_text(cell) for cell in row] for row in some]


def plot(loaded: Loaded, asked: Asked) -> bytes:
    """A PNG of samples beside real ones, where those are there.

    Raises:
        RequestError: As `GAN.draw`.
    """
    loaded.source  # noqa: B018  # opens the data, which is then drawn beside
    arguments = asked.arguments(loaded.gan.schema)
    if "where" in arguments:
        raise RequestError("conditions are for rows: see the table")
    with TemporaryDirectory() as folder:
        path = Path(folder) / "plot.png"
        loaded.gan.draw(path, asked.n, **arguments)
        return path.read_bytes()


def class_sheet(loaded: Loaded, seed: int) -> bytes:
    """A PNG with a row of images for each class.

    Raises:
        RequestError: Of a generator without classes, or of other data.
    """
    gan = loaded.gan
    if not (gan.schema.is_image and loaded.run.sampler.recipe.conditional):
        raise RequestError("a sheet by class is for images, by a generator that learned labels")
    with TemporaryDirectory() as folder:
        path = Path(folder) / "classes.png"
        gan.draw(path, seed=seed)
        return path.read_bytes()


def code_sheet(loaded: Loaded, name: str, seed: int) -> bytes:
    """A PNG that shows what one code does. Raises as `GAN.draw_code`."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "code.png"
        loaded.gan.draw_code(name, path, seed=seed)
        return path.read_bytes()

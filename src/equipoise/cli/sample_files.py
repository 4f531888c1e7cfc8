"""Encode samples as files, and parse codes."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from equipoise.cli.output import echo
from equipoise.cli.series_files import arrays_of, tables_of
from equipoise.data import writers
from equipoise.data.writers.text import CsvWriter
from equipoise.errors import RequestError

if TYPE_CHECKING:
    import pandas as pd

    from equipoise.api import GAN


def write_table(gan: GAN, n: int, arguments: Mapping[str, Any], out: Path | None) -> int | None:
    """Write n rows of a table, part by part.

    Args:
        gan: What generates them.
        n: How many.
        arguments: Further ones of `GAN.sample`.
        out: The file; None prints comma-separated values.

    Returns:
        How many rows were drawn for those that meet conditions and constraints; None
        without any.

    Raises:
        RequestError: If the format cannot hold the table.
        EquipoiseError: If the file cannot be written.
    """
    drawn: int | None = None

    def parts() -> Iterator[pd.DataFrame]:
        nonlocal drawn
        made = parts_of if gan.schema.series is None else tables_of
        for part in made(gan, n, arguments):
            drawn = part.attrs.get("drawn")
            yield part

    if out is not None:
        ending = writers.ending_of(out)
        assert ending is not None, "the ending was checked before anything was loaded"
        writers.find(ending).write(out, parts())
        return drawn
    for text in CsvWriter().texts(parts()):
        if sys.stdout.isatty():
            echo(text.decode().removesuffix("\n"))
        else:
            sys.stdout.write(text.decode())
    return drawn


def parts_of(gan: GAN, n: int, arguments: Mapping[str, Any]) -> Iterator[pd.DataFrame]:
    """The rows that `GAN.sample` returns with these arguments, in parts: one at
    least."""
    if n == 0:
        yield cast("pd.DataFrame", gan.sample(0, **arguments))
        return
    from equipoise.sampling.frames import PART_ROWS

    for part in gan.sample_batches(n, PART_ROWS, **arguments):
        yield cast("pd.DataFrame", part)


def encoded(
    gan: GAN, n: int, arguments: Mapping[str, Any], suffix: str | None
) -> tuple[bytes, int | None]:
    """n samples as the content of a file with this suffix; None for CSV. And how many
    rows of a table were drawn for them, as `write_table` returns it.

    Raises:
        RequestError: The samples do not fit such a file.
    """
    samples = gan.sample(n, **arguments)
    drawn: int | None = getattr(samples, "attrs", {}).get("drawn")
    return content_of(gan, samples, suffix), drawn


def content_of(gan: GAN, samples: Any, suffix: str | None) -> bytes:
    """Samples of the GAN's data as the content of a file with this suffix; None for
    CSV. Raises as `encoded`."""
    content = io.BytesIO()
    if gan.schema.series is not None and gan.schema.container != "frame":
        arrays = arrays_of(samples, gan.schema.series, suffix or "")
        array, more = arrays["x"], {name: of for name, of in arrays.items() if name != "x"}
    else:
        array, more = _numbers(gan, samples), {}
    if suffix == ".npy":
        np.save(content, array, allow_pickle=False)
    elif suffix == ".npz":
        np.savez_compressed(content, x=array, **more)
    else:  # %s is the shortest text that gives the same float
        exact = "%d" if array.dtype.kind in "biu" else "%s"
        np.savetxt(content, array, delimiter=",", fmt=exact)
    return content.getvalue()


def check_kind(gan: GAN, kind: str | None) -> None:
    """Check that samples can be printed (None), or written into a file of this ending.

    Raises:
        RequestError: If not.
    """
    of_table = kind in writers.endings()
    if gan.schema.is_image and (kind is None or of_table):
        raise RequestError(
            "images need --out with a folder, or a file that ends in .png, .npy, .npz, .zip or .tar"
        )
    if gan.schema.series is not None:
        return
    if of_table and kind != ".csv" and gan.schema.container != "frame":
        raise RequestError(
            f"{kind} is for tables, and this run was trained on an array: give .npy, .npz or .csv"
        )


def _numbers(gan: GAN, samples: Any) -> NDArray[Any]:
    """Samples as one array.

    Raises:
        RequestError: A column of a table is not of numbers.
    """
    if gan.schema.container != "frame":
        return np.asarray(samples)
    wrong = [name for name in samples.columns if samples[name].dtype.kind not in "biuf"]
    wrong += [name for name in samples.columns if name not in wrong and samples[name].isna().any()]
    if wrong:
        raise RequestError(
            f"column {wrong[0]!r} holds {samples[wrong[0]].dtype}, and arrays hold numbers: write "
            "a .csv or .parquet file"
        )
    # One type for all columns: pandas makes objects of numbers beside booleans.
    common = np.result_type(*[str(dtype).lower() for dtype in samples.dtypes])
    array: NDArray[Any] = samples.to_numpy(common)
    return array


def codes(text: str | None) -> dict[str, float]:
    """Parse codes from a text such as "c0=3,u0=-1.5".

    Raises:
        RequestError: The text has another form.
    """
    codes = {}
    for part in text.split(",") if text else []:
        name, _, value = part.partition("=")
        try:
            codes[name.strip()] = float(value)
        except ValueError:
            raise RequestError(f"--code = {text!r}: must be written as in c0=3,u0=-1.5") from None
    return codes

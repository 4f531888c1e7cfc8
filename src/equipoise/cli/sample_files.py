"""Samples on their way out: as the content of a file, and the codes that a command line
asks for."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from equipoise.errors import RequestError

if TYPE_CHECKING:
    from equipoise.api import GAN


def encoded(
    gan: GAN,
    n: int,
    label: str | None,
    code: Mapping[str, float],
    seed: int | None,
    suffix: str | None,
) -> bytes:
    """n samples as the content of a file with this ending; None is CSV.

    Raises:
        RequestError: For images in text.
    """
    if gan.schema.is_image and suffix in (None, ".csv"):
        raise RequestError("images need --out with a file that ends in .png, .npy or .npz")
    drawn = gan.sample(n, label=label, code=code, seed=seed)
    of_columns = (
        gan.schema.column_dtypes
    )  # of one type all together: pandas makes objects of numbers beside booleans
    array: NDArray[np.generic] = (
        np.asarray(drawn) if of_columns is None else np.asarray(drawn, np.result_type(*of_columns))
    )
    content = io.BytesIO()
    if suffix == ".npy":
        np.save(content, array, allow_pickle=False)
    elif suffix == ".npz":
        np.savez_compressed(content, x=array)
    elif not isinstance(drawn, np.ndarray | torch.Tensor):
        drawn.rename(columns=unformulated).to_csv(content, index=False, errors="backslashreplace")
    else:
        np.savetxt(
            content, array, delimiter=",", fmt="%d" if array.dtype.kind in "biu" else "%s"
        )  # %s: the shortest exact form
    return content.getvalue()


def unformulated(name: str | int) -> str | int:
    """A column's name with a quote before it where a spreadsheet would run it: it may
    come from a stranger's file."""
    risky = isinstance(name, str) and name.startswith(("=", "+", "-", "@", "\t", "\r"))
    return f"'{name}" if risky else name


def codes(text: str | None) -> dict[str, float]:
    """The codes that "c0=3,u0=-1.5" sets."""
    codes = {}
    for part in text.split(",") if text else []:
        name, _, value = part.partition("=")
        try:
            codes[name.strip()] = float(value)
        except ValueError:
            raise RequestError(f"--code = {text!r}: must be such as c0=3,u0=-1.5") from None
    return codes

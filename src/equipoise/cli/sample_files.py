"""Encode samples as files, and parse codes."""

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
    """n samples as the content of a file with this suffix; None for CSV.

    Raises:
        RequestError: The samples are images, and the suffix that of a text file.
    """
    if gan.schema.is_image and suffix in (None, ".csv"):
        raise RequestError(
            "images need --out with a folder, or a file that ends in .png, .npy, .npz, .zip or .tar"
        )
    samples = gan.sample(n, label=label, code=code, seed=seed)
    # One type for all columns: pandas makes objects of numbers beside booleans.
    dtypes = gan.schema.column_dtypes
    array: NDArray[np.generic] = (
        np.asarray(samples) if dtypes is None else np.asarray(samples, np.result_type(*dtypes))
    )
    content = io.BytesIO()
    if suffix == ".npy":
        np.save(content, array, allow_pickle=False)
    elif suffix == ".npz":
        np.savez_compressed(content, x=array)
    elif not isinstance(samples, np.ndarray | torch.Tensor):
        samples.rename(columns=without_formula).to_csv(
            content, index=False, errors="backslashreplace"
        )
    else:  # %s is the shortest text that gives the same float
        exact = "%d" if array.dtype.kind in "biu" else "%s"
        np.savetxt(content, array, delimiter=",", fmt=exact)
    return content.getvalue()


def without_formula(name: str | int) -> str | int:
    """A column's name, quoted if a spreadsheet would run it as a formula: it may come
    from an untrusted file."""
    risky = isinstance(name, str) and name.startswith(("=", "+", "-", "@", "\t", "\r"))
    return f"'{name}" if risky else name


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

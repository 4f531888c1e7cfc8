"""A generator as a file for other programs, checked before it is written."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable, Mapping
from importlib import resources
from pathlib import Path
from typing import Any, NamedTuple, cast

import numpy as np
import torch
from numpy.typing import NDArray

from equipoise.data.schema import Schema
from equipoise.data.sources import Source
from equipoise.errors import EquipoiseError, RequestError
from equipoise.sampling.export import int8 as quantised
from equipoise.sampling.export import onnx_file
from equipoise.sampling.export.description import description
from equipoise.sampling.export.graph import Inputs, drawn_inputs, expected, traced
from equipoise.sampling.export.int8_cost import cost_of_int8
from equipoise.sampling.export.page import page
from equipoise.sampling.sampler import Sampler
from equipoise.utils.atomic_io import write_atomic

ENDINGS = (".onnx", ".pt2", ".html")
CHECK_SEED = 20_260_101
# Samples that are compared, and their truncation: one by itself, and several at once.
# Other data than images have more, at no cost.
CHECKED = ((1, 1.0), (32, 1.0), (31, 0.5))
CHECKED_ROWS = ((1, 1.0), (768, 1.0), (255, 0.5))
TOLERANCE = 1e-5  # relative to the largest value of a column, or of images
# Sums are added in another order elsewhere. So numbers beside an edge, of a rounding or
# of a category, may fall to its other side: this share of the cells of data with
# categories or levels, which lie anywhere. A rounding is of one step.
MAX_OTHER = 2e-3
STANDALONE = "_sampler.py"
FIRST_WORDS = '"""Draws samples from a generator that Equipoise exported'


class Exported(NamedTuple):
    """What was written."""

    paths: tuple[Path, ...]
    difference: float
    """The largest, relative; of samples that are checked."""
    note: str
    """What the user should know; empty for nothing."""


def export(
    sampler: Sampler,
    path: Path,
    *,
    library: str,
    verdict: Mapping[str, str] | None = None,
    int8: bool = False,
    training_data: Callable[[], Source] | None = None,
    seed: int = 0,
) -> Exported:
    """Write a generator into a .onnx, .pt2 or .html file.

    An .onnx file has a Python file beside it that draws samples with it, by NumPy and
    onnxruntime alone.

    Args:
        sampler: The generator.
        path: The file; its ending says the format.
        library: The version of Equipoise.
        verdict: Of the run's report.
        int8: Whether weights are int8, if that costs little.
        training_data: What int8 is measured with; None where there are none.
        seed: Of the choice among real samples.

    Raises:
        RequestError: The ending is unknown, the extra `export` is missing, or the data
            has no page.
        EquipoiseError: The file would make other samples than the generator, or could
            not be written.
    """
    ending = check_request(path, int8)
    about = description(sampler, library, None if verdict is None else dict(verdict))
    if ending == ".pt2":
        content, difference = _torch_file(sampler, about)
        write_atomic(path, content)
        return Exported((path,), difference, "")
    model = onnx_file.onnx_model(sampler, about)
    content = model.SerializeToString()
    difference = _checked(sampler, lambda inputs: onnx_file.run_onnx(content, inputs))
    note = ""
    if int8:
        smaller = quantised.as_int8(model)
        cost = cost_of_int8(sampler, smaller.SerializeToString(), training_data, seed)
        note, model = cost.sentence, smaller if cost.is_little else model
    if ending == ".html":
        write_atomic(path, page(model.SerializeToString(), about, path.stem).encode())
        return Exported((path,), difference, note)
    write_atomic(path, model.SerializeToString())
    write_atomic(standalone_path(path), _standalone().encode())
    return Exported((path, standalone_path(path)), difference, note)


def check_request(path: Path, int8: bool) -> str:
    """The ending of a file that can be written.

    Raises:
        RequestError: It cannot.
    """
    ending, given = path.suffix.lower(), repr(str(path))
    if ending not in ENDINGS:
        raise RequestError(f"to = {given}: must end in {', '.join(ENDINGS)}")
    if not path.absolute().parent.is_dir():
        raise RequestError(f"to = {given}: there is no folder {path.parent}")
    if path.is_dir():
        raise RequestError(f"to = {given}: is a folder; give a file")
    if not os.access(path.absolute().parent, os.W_OK):
        raise RequestError(f"to = {given}: the folder {path.parent} is read-only")
    if int8 and ending == ".pt2":
        raise RequestError(f"int8 with to = {given}: for .onnx and .html alone")
    if ending != ".pt2":
        onnx_file.require()
    beside = standalone_path(path)
    if ending == ".onnx" and beside.exists() and not _is_own(beside):
        raise RequestError(
            f"to = {given}: {beside} is beside it, and is not of Equipoise: give another name"
        )
    return ending


def standalone_path(path: Path) -> Path:
    """The Python file beside an .onnx file."""
    return path.with_name(path.stem + STANDALONE)


def _is_own(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(len(FIRST_WORDS)) == FIRST_WORDS.encode()
    except OSError:
        return False


def _standalone() -> str:
    return resources.files("equipoise.sampling.export").joinpath("standalone.py").read_text("utf-8")


def _torch_file(sampler: Sampler, about: Mapping[str, Any]) -> tuple[bytes, float]:
    """The graph as `torch.export.save` writes it, checked."""
    program, buffer = traced(sampler), io.BytesIO()
    stored = {"equipoise.json": json.dumps(about, ensure_ascii=False)}
    with onnx_file.quiet():
        torch.export.save(program, buffer, extra_files=stored)
    module = program.module()

    @torch.no_grad()
    def run(inputs: Inputs) -> NDArray[Any]:
        return cast(NDArray[Any], module(*inputs.values()).numpy())

    return buffer.getvalue(), _checked(sampler, run)


def _checked(sampler: Sampler, run: Callable[[Inputs], NDArray[Any]]) -> float:
    """The largest relative difference between what an exported graph makes and the
    sampler, but for roundings.

    Raises:
        EquipoiseError: It is too large.
    """
    asked = CHECKED if sampler.schema.is_image else CHECKED_ROWS
    drawn = [drawn_inputs(sampler, n, CHECK_SEED + n, psi) for n, psi in asked]
    made = np.concatenate([run(part.inputs) for part in drawn])
    wanted = np.concatenate([expected(sampler, part) for part in drawn])
    if made.shape != wanted.shape or made.dtype != wanted.dtype:
        raise EquipoiseError(
            f"the export makes {made.dtype} {made.shape}, and the generator {wanted.dtype} "
            f"{wanted.shape}: nothing was written; please report this"
        )
    return difference(sampler.schema, made, wanted)


def difference(schema: Schema, made: NDArray[Any], wanted: NDArray[Any]) -> float:
    """The largest difference, relative to the largest value, of numbers that were not
    rounded to others.

    Raises:
        EquipoiseError: It is more than `TOLERANCE`.
    """
    a, b = (x.reshape(len(x), -1).astype(np.float64) for x in (made, wanted))
    scale = np.abs(b).max(0)
    if schema.is_image:
        scale = np.full_like(scale, scale.max())
    scale = np.where(scale > 0, scale, 1)
    apart = np.where(np.isnan(a) & np.isnan(b), 0, np.abs(a - b))
    other = ~(apart <= TOLERANCE * scale + _steps(schema, b))  # NaN beside a number too
    allowed = MAX_OTHER * other.size if _has_categories(schema) else 0
    if other.sum() > allowed:
        raise EquipoiseError(
            f"the export makes samples of which {other.mean():.1%} of the numbers differ, by "
            f"{np.nanmax(apart / scale):.1e} of the largest value at most ({TOLERANCE:g} is "
            "right): nothing was written; please report this"
        )
    rounded = apart > TOLERANCE * scale
    return float(np.where(rounded, 0, apart / scale).max(initial=0))


def _steps(schema: Schema, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """How far a rounding may move each of the values, (N, D)."""
    if schema.column_dtypes is None:
        return _step(schema.dtype, values)
    columns = zip(schema.column_dtypes, values.T, strict=True)
    return np.stack([_step(dtype, column) for dtype, column in columns], 1)


def _step(dtype: str, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Whole numbers by 1, half floats by the distance to the next."""
    if dtype == "float16":
        return np.abs(np.spacing(values.astype(np.float16))).astype(np.float64)
    return np.full_like(values, np.dtype(dtype).kind in "biu")


def _has_categories(schema: Schema) -> bool:
    """Whether cells have values to choose from, or lengths."""
    return any(known is not None for known in (schema.series, schema.table, schema.levels))

"""A generator as a file for other programs, checked before it is written."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from equipoise.data.schema import Schema
from equipoise.errors import EquipoiseError, RequestError
from equipoise.sampling.export import int8 as quantised
from equipoise.sampling.export import onnx_file
from equipoise.sampling.export.description import description
from equipoise.sampling.export.graph import drawn_inputs, expected, traced
from equipoise.sampling.export.page import page
from equipoise.sampling.sampler import Sampler
from equipoise.utils.atomic_io import write_atomic

ENDINGS = (".onnx", ".pt2", ".html")
CHECKED, CHECK_SEED = 64, 20_260_101
TOLERANCE = 1e-5  # relative to the largest value of a column, or of images
# Numbers beside a step, such as an edge of a category or of a rounding, may fall to its
# other side where sums are added in another order.
MAX_STEPS = 2e-3
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
) -> Exported:
    """Write a generator into a .onnx, .pt2 or .html file.

    An .onnx file has a Python file beside it that draws samples with it, by NumPy and
    onnxruntime alone.

    Args:
        sampler: The generator.
        path: The file; its ending says the format.
        library: The version of Equipoise.
        verdict: Of the run's report.
        int8: Whether weights are int8, if that moves samples little.

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
    difference = _checked(sampler, model.SerializeToString())
    note = ""
    if int8:
        smaller = quantised.as_int8(model)
        note, costs_little = _cost_of_int8(sampler, smaller.SerializeToString())
        model = smaller if costs_little else model
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
    drawn = drawn_inputs(sampler, CHECKED, CHECK_SEED)
    with torch.no_grad():
        made = program.module()(*drawn.inputs.values())
    return buffer.getvalue(), _difference(sampler, made.numpy(), expected(sampler, drawn))


def _checked(sampler: Sampler, content: bytes) -> float:
    """The largest relative difference between what a model makes and the sampler, one
    sample and several at once."""
    found = []
    for n in (1, CHECKED):
        drawn = drawn_inputs(sampler, n, CHECK_SEED)
        made = onnx_file.run_onnx(content, {k: v.numpy() for k, v in drawn.inputs.items()})
        found.append(_difference(sampler, made, expected(sampler, drawn)))
    return max(found)


def _difference(sampler: Sampler, made: NDArray[Any], wanted: NDArray[Any]) -> float:
    """The largest relative difference, of all numbers but the few beside a step.

    Raises:
        EquipoiseError: It is too large.
    """
    if made.shape != wanted.shape or made.dtype != wanted.dtype:
        raise EquipoiseError(
            f"the export makes {made.dtype} {made.shape}, and the generator {wanted.dtype} "
            f"{wanted.shape}: nothing was written; please report this"
        )
    a, b = (x.reshape(len(x), -1).astype(np.float64) for x in (made, wanted))
    scale = np.abs(b).max(0)
    if sampler.schema.is_image:
        scale = np.full_like(scale, scale.max())
    relative = np.abs(a - b) / np.where(scale > 0, scale, 1)
    relative = np.where(np.isnan(a) & np.isnan(b), 0, relative)
    steps = relative > TOLERANCE
    if steps.any() and (not _has_steps(sampler.schema) or not _few(sampler.schema, a, b, steps)):
        raise EquipoiseError(
            f"the export makes samples that differ by {np.nanmax(relative):.1e} of their largest "
            f"value (at most {TOLERANCE:g} is right): nothing was written; please report this"
        )
    return float(np.where(steps, 0, relative).max(initial=0))


def _few(schema: Schema, a: NDArray[Any], b: NDArray[Any], steps: NDArray[np.bool_]) -> bool:
    """Whether differences are few, and those of whole numbers one level."""
    if schema.is_image:
        return bool(np.abs(a - b).max() <= 1)
    return bool(steps.sum() <= max(MAX_STEPS * steps.size, 2))


def _has_steps(schema: Schema) -> bool:
    """Whether the way to the user's units has steps."""
    if schema.series is not None or schema.table is not None or schema.levels is not None:
        return True
    dtypes = schema.column_dtypes or (schema.dtype,)
    return any(np.dtype(dtype).kind in "biu" or dtype == "float16" for dtype in dtypes)


def _cost_of_int8(sampler: Sampler, content: bytes) -> tuple[str, bool]:
    """What int8 costs in words, and whether that is little."""
    drawn = drawn_inputs(sampler, 4 * CHECKED, CHECK_SEED)
    made = onnx_file.run_onnx(content, {k: v.numpy() for k, v in drawn.inputs.items()})
    table = sampler.schema.table
    codes = [] if table is None else [i for i, size in enumerate(table.sizes) if size]
    moved, changed = quantised.moved(made, expected(sampler, drawn), codes)
    little = moved <= quantised.MAX_MOVED and changed <= quantised.MAX_CHANGED
    cost = f"int8 moves samples by {moved:.2g} of their standard deviation"
    cost += f" and changes {changed:.2%} of categories" if codes else ""
    if little:
        return cost, True
    limit = f"{quantised.MAX_MOVED:g}{f' and {quantised.MAX_CHANGED:.0%}' if codes else ''}"
    return f"{cost}, more than {limit}: weights are float32", False

"""Weights as int8, with a scale for each output channel: a quarter of the size.

Only the weights are stored so: a runtime turns them into float32 when it loads them,
and computes as before. So only their rounding costs anything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import onnx

MIN_WEIGHTS = 1024  # of a tensor; smaller ones are kept as they are
# Of the standard deviation of samples: the root mean square that int8 may move them by,
# at the same latents. Independent noise of that size adds 0.125% to a deviation.
MAX_MOVED = 0.05
MAX_CHANGED = 0.02  # of the categories of rows, which may become others


def as_int8(model: onnx.ModelProto) -> onnx.ModelProto:
    """A copy with int8 weights."""
    import onnx
    from onnx import helper, numpy_helper

    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    nodes, kept = [], []
    for tensor in copy.graph.initializer:
        weights = numpy_helper.to_array(tensor)
        if weights.dtype != np.float32 or weights.ndim < 2 or weights.size < MIN_WEIGHTS:
            kept.append(tensor)
            continue
        codes, scales = _rounded(weights)
        name = tensor.name
        kept += [
            numpy_helper.from_array(codes, f"{name}_int8"),
            numpy_helper.from_array(scales, f"{name}_scale"),
        ]
        inputs = [f"{name}_int8", f"{name}_scale"]
        nodes.append(helper.make_node("DequantizeLinear", inputs, [name], axis=0))
    others = [*copy.graph.node]
    del copy.graph.initializer[:], copy.graph.node[:]
    copy.graph.initializer.extend(kept)
    copy.graph.node.extend([*nodes, *others])
    return copy


def _rounded(weights: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Codes, of the weights' shape, and scales, one for each entry of the first
    axis."""
    largest = np.abs(weights).reshape(len(weights), -1).max(1)
    scales = np.where(largest > 0, largest / 127, 1).astype(np.float32)
    codes = np.rint(weights / scales.reshape(-1, *(1,) * (weights.ndim - 1)))
    return codes.clip(-127, 127).astype(np.int8), scales


def moved(made: NDArray[Any], expected: NDArray[Any], codes: list[int]) -> tuple[float, float]:
    """How far int8 moves samples, in their standard deviations, and the share of
    categories that become others.

    Args:
        made: Samples of int8 weights, (N, ...).
        expected: Those of the generator at the same latents.
        codes: Columns of a table that are categories.
    """
    a, b = (x.reshape(len(x), -1).astype(np.float64) for x in (made, expected))
    numbers = np.setdiff1d(np.arange(a.shape[1]), codes)
    changed = float((a[:, codes] != b[:, codes]).mean()) if codes else 0.0
    if not len(numbers):
        return 0.0, changed
    spread = b[:, numbers].std(0)
    if made.ndim > 2:  # pixels of images share one
        spread = np.full(len(numbers), b.std())
    distance = np.sqrt(((a - b)[:, numbers] ** 2).mean(0)) / np.where(spread > 0, spread, 1)
    return float(np.sqrt((distance**2).mean())), changed

"""What int8 weights cost: how far samples move, and what that does to the run's primary
metric."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from equipoise.data.alpha import as_measured
from equipoise.data.schema import to_network_layout
from equipoise.data.sources import Source
from equipoise.errors import EquipoiseError
from equipoise.metrics.budget import QUICK
from equipoise.metrics.evaluate import suite_for
from equipoise.metrics.intervals import half_widths
from equipoise.metrics.registry import find
from equipoise.metrics.suites import MIN_FOR_INTERVALS
from equipoise.sampling.export import onnx_file
from equipoise.sampling.export.graph import Drawn, drawn_inputs, expected
from equipoise.sampling.export.int8 import MAX_CHANGED, MAX_MOVED, moved
from equipoise.sampling.sampler import EVALUATION_SEED, Sampler

BUDGET = replace(QUICK, samples=4_000, images=2_000)
MOVED = 256  # samples that are compared at the same latents
BATCH = 256


class Cost(NamedTuple):
    """What int8 costs."""

    sentence: str
    is_little: bool


def cost_of_int8(
    sampler: Sampler,
    content: bytes,
    training_data: Callable[[], Source] | None,
    seed: int,
) -> Cost:
    """What the primary metric, and samples at the same latents, lose by int8.

    Args:
        sampler: The generator.
        content: The ONNX model with int8 weights.
        training_data: Opens what it was trained on; None where there are none.
        seed: Of the choice among real samples.
    """
    costs = [
        _movement(sampler, content),
        _metric(sampler, content, training_data, seed),
    ]
    sentence = "; ".join(cost.sentence for cost in costs)
    is_little = all(cost.is_little for cost in costs)
    return Cost(sentence + ("" if is_little else ": weights are float32"), is_little)


def _movement(sampler: Sampler, content: bytes) -> Cost:
    drawn, table = drawn_inputs(sampler, MOVED, EVALUATION_SEED), sampler.schema.table
    codes = [] if table is None else [i for i, size in enumerate(table.sizes) if size]
    distance, changed = moved(_made(content, drawn), expected(sampler, drawn), codes)
    is_little = distance <= MAX_MOVED and changed <= MAX_CHANGED
    sentence = f"int8 moves samples by {distance:.2g} of their standard deviation"
    sentence += f" and changes {changed:.2%} of categories" if codes else ""
    limit = f"{MAX_MOVED:g}{f' and {MAX_CHANGED:.0%}' if codes else ''}"
    return Cost(sentence if is_little else f"{sentence}, more than {limit}", is_little)


def _metric(
    sampler: Sampler, content: bytes, training_data: Callable[[], Source] | None, seed: int
) -> Cost:
    """Whether the primary metric stays within its interval."""
    missing = "the primary metric is not measured"
    try:
        source = None if training_data is None else training_data()
    except EquipoiseError as error:
        return Cost(f"{missing}: {error}", True)
    if source is None:
        return Cost(f"{missing}: there are no data", True)
    suite = suite_for(source, seed, budget=BUDGET)
    if suite.n < MIN_FOR_INTERVALS:
        return Cost(f"{missing}: only {suite.n} samples are held out", True)
    drawn, primary = drawn_inputs(sampler, suite.n, EVALUATION_SEED), suite.primary
    before, after = (
        suite.reference.prepare(_measured(sampler, x))
        for x in (expected(sampler, drawn), _made(content, drawn))
    )

    def measure(rows: NDArray[np.float64]) -> dict[str, float]:
        return {**primary(suite.reference, rows)}

    (key, value), *_ = measure(before).items()
    other = measure(after)[key]
    used = primary.used(suite.n)
    width = half_widths(lambda some: measure(before[some]), suite.n, lambda _: used)[key]
    if not np.isfinite([value, other, width]).all():
        return Cost(f"{missing}: it has no value for these samples", True)
    figures = f"{find(key).label} {other:.4g}, and {value:.4g} ± {width:.2g} without it"
    is_little = abs(other - value) <= width
    return Cost(figures + ("" if is_little else ", which is outside"), is_little)


def _made(content: bytes, drawn: Drawn) -> NDArray[Any]:
    """What a model makes, a batch at a time."""
    inputs, n = drawn.inputs, len(drawn.inputs["z"])
    return np.concatenate(
        [
            onnx_file.run_onnx(
                content,
                {k: v[at : at + BATCH] if v.dim() else v for k, v in inputs.items()},
            )
            for at in range(0, n, BATCH)
        ]
    )


def _measured(sampler: Sampler, made: NDArray[Any]) -> NDArray[np.float64]:
    """An export's output as metrics compare it, (N, *shape)."""
    values = to_network_layout(made, sampler.schema.layout).astype(np.float64)
    x = torch.from_numpy(np.ascontiguousarray(values))
    return np.asarray(as_measured(x, sampler.schema, sampler.transform.limits), np.float64)

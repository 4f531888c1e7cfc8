"""Very little data: trained on, judged and drawn without a warning of NumPy's."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from equipoise import GAN

Make = Callable[[np.random.Generator, int], np.ndarray[Any, Any]]
KINDS: dict[str, Make] = {
    "numbers": lambda rng, n: rng.standard_normal(n),
    "two values": lambda _, n: np.arange(n) % 2 * 1.0,
    "points": lambda rng, n: rng.standard_normal((n, 2)),
    "a column that never varies": lambda rng, n: np.stack([rng.standard_normal(n), np.ones(n)], 1),
    "grey": lambda rng, n: rng.integers(0, 256, (n, 8, 8), np.uint8),
    "colour": lambda rng, n: rng.integers(0, 256, (n, 3, 8, 8), np.uint8),
    "one colour each": lambda rng, n: (
        np.repeat(rng.permutation(256)[:n], 64).reshape(n, 8, 8).astype(np.uint8)
    ),
    "one that differs": lambda _, n: (
        np.repeat(np.arange(n) == 0, 64).reshape(n, 8, 8).astype(np.uint8)
    ),
}


@pytest.mark.parametrize("n", [2, 3, 30])
@pytest.mark.parametrize("kind", KINDS)
def test_a_small_set_is_trained_on_and_evaluated_without_a_warning(
    kind: str, n: int, tiny: dict[str, Any], tmp_path: Path
) -> None:
    x = KINDS[kind](np.random.default_rng(0), n)
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        gan = GAN(**tiny).fit(x)
        assert np.isfinite(gan.evaluate().metrics[0].baseline)
        gan.report_page(tmp_path / "page.html")
    assert np.asarray(gan.sample(3)).shape == (3, *x.shape[1:])

"""Numbers as modes and places in them, and back."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy import stats

from equipoise.data.schema import Schema
from equipoise.data.tables.recognition import recognise
from equipoise.errors import RequestError
from equipoise.transforms.mode_normalization import ModeNormalization
from equipoise.transforms.space import MAX_MODES, NetworkSpace, mode_spans

N = 3_000
NAMES = ("weights", "means", "deviations")


def by_hand(*modes: tuple[float, float, float]) -> ModeNormalization:
    """One column with modes of these weights, means and standard deviations."""
    made = ModeNormalization((0,))
    for name, values in zip(NAMES, zip(*modes, strict=True), strict=True):
        full = torch.zeros(1, MAX_MODES) if name == "weights" else torch.ones(1, MAX_MODES)
        full[0, : len(modes)] = torch.tensor(values)
        getattr(made, name).copy_(full)
    return made


def three_heaps(scale: float = 1.0) -> NDArray[np.float64]:
    rng = np.random.default_rng(0)
    return (
        np.concatenate(
            [rng.normal(-8, 0.5, N // 2), rng.normal(0, 1, N // 3), rng.normal(9, 2, N // 6)]
        )
        * scale
    )


def fitted(x: NDArray[np.float64]) -> ModeNormalization:
    shuffled = np.random.default_rng(1).permutation(x)
    return ModeNormalization((0,)).fit([torch.from_numpy(shuffled[:, None])], 0)


def test_alpha_is_the_distance_from_the_mean_in_four_standard_deviations() -> None:
    encoded, y = by_hand((1.0, 3.0, 2.0)).encode(torch.tensor([[5.0], [3.0], [-5.0], [99.0]]))
    assert y is None
    # (c - mu) / (4 sigma), cut off at 1
    assert encoded[:, 0].tolist() == [0.25, 0.0, -1.0, 1.0]
    assert encoded[:, 1].tolist() == [1.0] * 4
    assert encoded[:, 2:].abs().max() == 0


def test_a_mode_is_drawn_at_its_posterior() -> None:
    encoding = by_hand((0.3, 0.0, 1.0), (0.7, 2.0, 0.5))
    c, n = 1.2, 40_000
    densities = [0.3 * stats.norm.pdf(c, 0, 1), 0.7 * stats.norm.pdf(c, 2, 0.5)]
    expected = densities[1] / sum(densities)
    encoded, _ = encoding.encode(torch.full((n, 1), c), None, torch.Generator().manual_seed(0))
    error = 4 * (expected * (1 - expected) / n) ** 0.5
    assert encoded[:, 2].mean().item() == pytest.approx(expected, abs=error)
    assert encoded[:, 3:].abs().max() == 0
    likely, _ = encoding.encode(torch.tensor([[c]]))
    assert likely[0, 1 + int(densities[1] > densities[0])] == 1


@pytest.mark.parametrize("scale", [1e-30, 1.0, 1e18, 1e30])
def test_decoding_inverts_encoding_at_every_scale(scale: float) -> None:
    x = three_heaps(scale)
    encoding, raw = fitted(x), torch.from_numpy(x[:, None])
    encoded, _ = encoding.encode(raw, None, torch.Generator().manual_seed(0))
    inside = encoded[:, 0].abs() < 1  # not cut off
    assert inside.double().mean() > 0.99
    back = encoding.decode(encoded)[:, 0]
    # float32 alphas of at most 4 standard deviations
    assert (back - raw[:, 0])[inside].abs().max() < 1e-6 * 4 * encoding.deviations.max()


def test_heaps_are_found_and_there_are_no_more_modes_than_they_need() -> None:
    encoding = fitted(three_heaps())
    known = encoding.weights[0] > 0
    assert 3 <= known.sum() < MAX_MODES
    assert encoding.weights.sum().item() == pytest.approx(1)
    first = (encoding.means[0] < -6) & known
    assert encoding.weights[0, first].sum().item() == pytest.approx(1 / 2, abs=0.02)
    assert encoding.means[0, first].mean().item() == pytest.approx(-8, abs=0.1)


def test_a_mode_that_a_column_does_not_have_is_never_decoded() -> None:
    encoding = by_hand((1.0, 3.0, 2.0))
    sample = torch.zeros(1, 1 + MAX_MODES)
    sample[0, 5] = 1.0
    assert encoding.decode(sample).tolist() == [[3.0]]
    assert encoding.possible.tolist() == [True, True, *[False] * (MAX_MODES - 1)]


@pytest.mark.parametrize("x", [[7.0], [7.0] * 50, [1.0, 2.0, 3.0]])
def test_few_rows_and_constants_come_back(x: list[float]) -> None:
    column = np.array(x)
    encoding = fitted(column)
    encoding.check()
    back = encoding.decode(encoding.encode(torch.from_numpy(column[:, None]))[0])
    np.testing.assert_allclose(back[:, 0].numpy(), column, atol=1e-5)


def test_columns_keep_their_order_and_categories_are_one_hot() -> None:
    rng = np.random.default_rng(0)
    raw = np.stack([rng.integers(0, 3, N), rng.normal(size=N), rng.integers(0, 2, N)], 1)
    x = torch.from_numpy(raw.astype(float))
    encoding = ModeNormalization((3, 0, 2)).fit([x])
    encoded, _ = encoding.encode(x, None, torch.Generator())
    assert encoded.shape == (N, 3 + 1 + MAX_MODES + 2) == (N, *encoding.shape)
    assert torch.equal(encoded[:, :3].argmax(1), x[:, 0].long())
    back = encoding.decode(encoded)
    assert torch.equal(back[:, [0, 2]], x[:, [0, 2]])
    torch.testing.assert_close(back[:, 1], x[:, 1], atol=1e-5, rtol=0)


def test_what_was_fitted_survives_files_and_others_are_refused() -> None:
    import pandas as pd

    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"x": rng.normal(size=50), "kind": ["a", "b"] * 25})
    table, _ = recognise(frame)
    schema = Schema(
        (len(table.raw_columns),), "ND", "float64", "frame", columns=("x", "kind"), table=table
    )
    assert NetworkSpace.of(schema, "modes").spans == mode_spans(table.sizes)
    encoding = ModeNormalization(table.sizes).fit([torch.from_numpy(table.encode(frame, 0))])
    again = ModeNormalization.from_config(schema, schema.shape, encoding.config())
    again.load_state_dict(encoding.state_dict())
    again.check()
    x = torch.from_numpy(table.encode(frame, 0))
    assert torch.equal(again.encode(x)[0], encoding.encode(x)[0])
    with pytest.raises(RequestError, match="its modes are of a table"):
        ModeNormalization.from_config(replace(schema, table=None), schema.shape, {})
    again.deviations.zero_()
    with pytest.raises(RequestError, match="its modes cannot be"):
        again.check()

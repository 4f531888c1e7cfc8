from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import stats

from equipoise.errors import RequestError
from equipoise.networks.latents import Prior


def test_normal_latents_are_standard_normal() -> None:
    z = Prior(2).sample(20_000, torch.Generator().manual_seed(0))
    assert stats.kstest(z[:, 0].numpy(), "norm").pvalue > 0.01


def test_uniform_latents_fill_minus_one_to_one() -> None:
    z = Prior(1, "uniform").sample(20_000, torch.Generator().manual_seed(0))
    assert stats.kstest(z[:, 0].numpy(), "uniform", args=(-1, 2)).pvalue > 0.01


def test_equal_generators_give_equal_latents() -> None:
    prior = Prior(3, categorical_codes=(5,))
    assert torch.equal(
        prior.sample(9, torch.Generator().manual_seed(4)),
        prior.sample(9, torch.Generator().manual_seed(4)),
    )


CODED = Prior(3, categorical_codes=(4, 2), continuous_codes=2)


def test_codes_have_names_places_and_their_distributions() -> None:
    z = CODED.sample(10_000, torch.Generator().manual_seed(0))
    assert z.shape == (10_000, CODED.width) == (10_000, 3 + 4 + 2 + 2)
    assert list(CODED.codes) == ["c0", "c1", "u0", "u1"]
    for name, size in (("c0", 4), ("c1", 2)):
        part = z[:, CODED.codes[name]]
        assert torch.equal(part.sort(1).values, torch.eye(size)[-1].expand_as(part))
        assert stats.chisquare(part.sum(0).numpy()).pvalue > 0.01
    assert (
        stats.kstest(z[:, CODED.codes["u1"]][:, 0].numpy(), "uniform", args=(-1, 2)).pvalue > 0.01
    )


def test_setting_a_code_changes_nothing_else() -> None:
    z = CODED.sample(5, torch.Generator().manual_seed(0))
    changed = CODED.with_codes(z, {"c0": 3, "u1": np.linspace(-2, 2, 5)})
    assert changed[:, CODED.codes["c0"]].tolist() == [[0, 0, 0, 1]] * 5
    assert changed[:, CODED.codes["u1"]].flatten().tolist() == [-2, -1, 0, 1, 2]
    rest = [i for i in range(CODED.width) if i not in (*range(3, 7), 10)]
    assert torch.equal(changed[:, rest], z[:, rest])


@pytest.mark.parametrize(
    ("codes", "message"),
    [
        ({"c2": 0}, "no code 'c2': known: c0, c1, u0, u1"),
        ({"c0": 4}, "code c0 = 4: must be a whole number from 0 to 3"),
        ({"c0": 1.5}, "code c0 = 1.5: must be a whole number from 0 to 3"),
        (
            {"u0": [1, 2]},
            r"code u0 = \[1, 2\]: must be one number, or one for each of the 5 samples",
        ),
        ({"u0": "much"}, "code u0 = 'much': must be one number"),
        ({"u0": float("nan")}, "code u0 holds NaN"),
    ],
)
def test_codes_that_cannot_be_are_refused(codes: dict[str, object], message: str) -> None:
    with pytest.raises(RequestError, match=message):
        CODED.with_codes(CODED.sample(5, torch.Generator()), codes)  # wrong ones, on purpose


def test_a_prior_without_codes_refuses_codes() -> None:
    with pytest.raises(
        RequestError, match="this generator has no codes, train the recipe 'infogan'"
    ):
        Prior(2).check_code("c0")

"""What D's output means: how it is logged, displayed, and what its optimum is."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from equipoise.recipes.output import (
    Critic,
    DiscriminatorOutput,
    Energy,
    Probability,
    Relativistic,
    Score,
)

REAL, FAKE = torch.tensor([1.0, 2.0]), torch.tensor([0.0, -1.0])
P, P_G = np.array([0.2, 0.1, 0.3]), np.array([0.2, 0.3, 0.1])


def test_probabilities_are_read_as_the_means_of_sigma() -> None:
    read = Probability().readings(torch.tensor([math.log(3.0)]), torch.tensor([-math.log(4.0)]))
    assert {name: float(value) for name, value in read.items()} == pytest.approx(
        {"real_output": 3 / 4, "fake_output": 1 / 5, "balance": (3 / 4 + 4 / 5) / 2}
    )


def test_relativistic_outputs_do_not_depend_on_the_logits_mean() -> None:
    read = Relativistic().readings(REAL + 100, FAKE + 100)
    balance = (1 / (1 + math.exp(-1)) + 1 / (1 + math.exp(-3))) / 2
    assert {name: float(value) for name, value in read.items()} == pytest.approx(
        {"real_output": 1.0, "fake_output": -1.0, "balance": balance}
    )


@pytest.mark.parametrize("output", [Probability(), Relativistic()])
def test_equal_outputs_are_balanced_at_one_half(output: DiscriminatorOutput) -> None:
    assert float(output.readings(torch.zeros(4), torch.zeros(4))["balance"]) == pytest.approx(0.5)
    assert output.balance_label
    assert output.balance_caption


@pytest.mark.parametrize("output", [Score(), Critic(), Energy()])
def test_outputs_on_no_known_scale_have_means_and_no_balance(output: DiscriminatorOutput) -> None:
    read = output.readings(REAL, FAKE)
    assert (float(read["real_output"]), float(read["fake_output"])) == (1.5, -0.5)
    assert "balance" not in read
    assert output.optimum(P, P_G) is None


def test_a_critics_difference_estimates_a_distance() -> None:
    assert float(Critic().readings(REAL, FAKE)["w1_times_unknown_factor"]) == 2.0


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        (Probability(), [1.0, 2.0]),
        (Score(threshold=1.5), [-0.5, 0.5]),
        (Relativistic(), [0.5, 1.5]),
        (Critic(), [0.5, 1.5]),
        (Energy(), [-0.5, -1.5]),
    ],
)
def test_realness_is_above_zero_where_a_sample_is_taken_for_real(
    output: DiscriminatorOutput, expected: list[float]
) -> None:
    assert output.realness(REAL, FAKE).tolist() == expected


def test_the_optimum_is_the_density_ratio_or_its_logarithm() -> None:
    assert Probability().optimum(P, P_G) == pytest.approx([0.5, 0.25, 0.75])
    assert Relativistic().optimum(P, P_G) == pytest.approx(np.log([1, 1 / 3, 3]))


def test_what_is_displayed_is_on_the_scale_of_the_optimum() -> None:
    logits = np.array([0.0, math.log(3.0)])
    assert Probability().display(logits) == pytest.approx([0.5, 0.75])
    assert Relativistic().display(logits).mean() == pytest.approx(0)
    assert Energy().display(logits) == pytest.approx(logits)

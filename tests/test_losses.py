"""Losses against closed forms, hand-worked points and numerical gradients."""

from __future__ import annotations

import math
from functools import partial

import numpy as np
import pytest
import torch
from scipy.integrate import quad
from scipy.stats import norm, wasserstein_distance
from torch.nn.functional import binary_cross_entropy_with_logits

from equipoise import losses

REAL, FAKE = (
    torch.tensor([0.7, -1.3, 2.0], dtype=torch.float64),
    torch.tensor([-0.4, 0.9, 0.1], dtype=torch.float64),
)


def test_discriminator_loss_is_the_cross_entropy_of_telling_real_from_fake() -> None:
    expected = binary_cross_entropy_with_logits(
        REAL, torch.ones(3).double()
    ) + binary_cross_entropy_with_logits(FAKE, torch.zeros(3).double())
    assert losses.discriminator(REAL, FAKE).item() == pytest.approx(expected.item(), rel=1e-12)


def test_label_smoothing_is_the_cross_entropy_to_the_smoothed_label_on_real_samples_only() -> None:
    expected = (
        binary_cross_entropy_with_logits(REAL, torch.full((3,), 0.9, dtype=torch.float64))
        + torch.nn.functional.softplus(FAKE).mean()
    )
    assert losses.discriminator(REAL, FAKE, real_label=0.9).item() == pytest.approx(
        expected.item(), rel=1e-12
    )


def test_minimax_and_non_saturating_losses_at_a_hand_worked_point() -> None:
    logit = torch.tensor([math.log(3.0)])  # sigma = 3/4
    assert losses.minimax_generator(logit).item() == pytest.approx(math.log(1 / 4), rel=1e-6)
    assert losses.non_saturating_generator(logit).item() == pytest.approx(
        -math.log(3 / 4), rel=1e-6
    )


def test_relativistic_losses_at_a_hand_worked_point() -> None:
    real, fake = torch.tensor([math.log(3.0)]), torch.tensor([0.0])  # sigma(D(x) - D(x')) = 3/4
    assert losses.relativistic_discriminator(real, fake).item() == pytest.approx(
        -math.log(3 / 4), rel=1e-6
    )
    assert losses.relativistic_generator(real, fake).item() == pytest.approx(
        -math.log(1 / 4), rel=1e-6
    )


def test_wasserstein_losses_are_differences_of_means() -> None:
    assert losses.wasserstein_critic(REAL, FAKE).item() == pytest.approx(
        FAKE.mean().item() - REAL.mean().item()
    )
    assert losses.wasserstein_generator(FAKE).item() == pytest.approx(-0.2)


def test_the_best_lipschitz_critic_of_shifted_distributions_has_minus_w1_as_loss() -> None:
    x = torch.randn(1000, dtype=torch.float64)
    assert losses.wasserstein_critic(-x, -(x + 3)).item() == pytest.approx(
        -wasserstein_distance(x, x + 3)
    )


def test_the_hinge_loss_at_hand_worked_points() -> None:
    real, fake = torch.tensor([2.0, 0.5, -1.0]), torch.tensor([-3.0, -0.25, 1.0])
    assert losses.hinge_discriminator(real, fake).item() == pytest.approx(
        (0 + 0.5 + 2) / 3 + (0 + 0.75 + 2) / 3
    )


def test_least_squares_losses_at_hand_worked_points() -> None:
    real, fake = torch.tensor([1.0, 3.0]), torch.tensor([0.0, -2.0])
    assert losses.least_squares_discriminator(real, fake).item() == pytest.approx(
        (0 + 4) / 4 + (0 + 4) / 4
    )
    assert losses.least_squares_discriminator(real, fake, a=-1, b=2).item() == pytest.approx(
        (1 + 1) / 4 + (1 + 1) / 4
    )
    assert losses.least_squares_generator(fake).item() == pytest.approx((1 + 9) / 4)
    assert losses.least_squares_generator(fake, c=-1).item() == pytest.approx((1 + 1) / 4)


def test_least_squares_with_targets_minus_1_1_0_is_pearsons_divergence_at_the_best_d() -> None:
    p, q = norm(0, 1), norm(0.6, 1)
    u = (np.arange(200_000) + 0.5) / 200_000

    def best(x: np.ndarray) -> torch.Tensor:
        return torch.from_numpy(
            (p.pdf(x) - q.pdf(x)) / (p.pdf(x) + q.pdf(x))
        )  # (b p + a q) / (p + q)

    value = losses.least_squares_generator(best(p.ppf(u)), 0) + losses.least_squares_generator(
        best(q.ppf(u)), 0
    )
    divergence = quad(
        lambda x: (2 * q.pdf(x) - p.pdf(x) - q.pdf(x)) ** 2 / (p.pdf(x) + q.pdf(x)), -9, 9
    )[0]
    assert 2 * value.item() == pytest.approx(divergence, abs=1e-4)


def test_relativistic_losses_see_differences_only() -> None:
    for loss in (losses.relativistic_discriminator, losses.relativistic_generator):
        assert loss(REAL + 5, FAKE + 5).item() == pytest.approx(loss(REAL, FAKE).item(), rel=1e-12)


def test_the_optimal_discriminator_has_loss_log_4_minus_twice_the_jensen_shannon_divergence() -> (
    None
):
    p, q = norm(0, 1), norm(1.5, 0.7)

    def excess(x: float, a: norm, b: norm) -> float:
        """The integrand of KL(a || (a + b) / 2)."""
        return (
            float(a.pdf(x) * math.log(2 * a.pdf(x) / (a.pdf(x) + b.pdf(x))))
            if a.pdf(x) > 0
            else 0.0
        )

    divergence = sum(
        quad(excess, -12, 12, args=pair, limit=200)[0] / 2 for pair in ((p, q), (q, p))
    )
    u = (np.arange(200_000) + 0.5) / 200_000
    logits = [torch.from_numpy(p.logpdf(x) - q.logpdf(x)) for x in (p.ppf(u), q.ppf(u))]
    assert losses.discriminator(*logits).item() == pytest.approx(
        math.log(4) - 2 * divergence, abs=1e-4
    )


@pytest.mark.parametrize("offset", [-0.3, 0.3])
def test_no_other_discriminator_does_better_than_the_density_ratio(offset: float) -> None:
    p, q = norm(0, 1), norm(1.5, 0.7)
    u = (np.arange(20_000) + 0.5) / 20_000
    best = [torch.from_numpy(p.logpdf(x) - q.logpdf(x)) for x in (p.ppf(u), q.ppf(u))]
    for changed in ([logit + offset for logit in best], [logit * (1 + offset) for logit in best]):
        assert losses.discriminator(*changed) > losses.discriminator(*best)


def test_at_equal_distributions_the_losses_are_log_4_and_log_2() -> None:
    zero = torch.zeros(5)
    assert losses.discriminator(zero, zero).item() == pytest.approx(math.log(4))
    assert losses.relativistic_discriminator(zero, zero).item() == pytest.approx(math.log(2))
    assert losses.relativistic_generator(zero, zero).item() == pytest.approx(math.log(2))


@pytest.mark.parametrize(
    "loss",
    [
        losses.discriminator,
        partial(losses.discriminator, real_label=0.9),
        losses.relativistic_discriminator,
        losses.relativistic_generator,
        losses.wasserstein_critic,
        losses.hinge_discriminator,
        partial(losses.least_squares_discriminator, a=-1.0, b=2.0),
    ],
)
def test_gradients_of_losses_of_both_kinds_of_logits(loss) -> None:
    assert torch.autograd.gradcheck(
        loss, (REAL.clone().requires_grad_(), FAKE.clone().requires_grad_())
    )


@pytest.mark.parametrize(
    "loss",
    [
        losses.minimax_generator,
        losses.non_saturating_generator,
        losses.wasserstein_generator,
        losses.least_squares_generator,
    ],
)
def test_gradients_of_losses_of_fake_logits(loss) -> None:
    assert torch.autograd.gradcheck(loss, (FAKE.clone().requires_grad_(),))


def test_losses_stay_finite_for_huge_logits() -> None:
    huge = torch.tensor([1e4, -1e4])
    for value in (
        losses.discriminator(huge, huge),
        losses.relativistic_generator(huge, -huge),
        losses.minimax_generator(huge),
    ):
        assert torch.isfinite(value)

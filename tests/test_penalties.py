"""Penalties against closed forms and numerical second derivatives."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from equipoise.penalties import around, between, norm_penalties, squared_gradient_norms


def test_a_linear_critic_has_the_squared_norm_of_its_weights_at_every_sample() -> None:
    w = torch.tensor([3.0, -4.0])
    x = torch.randn(5, 2, generator=torch.Generator().manual_seed(0)).requires_grad_()
    assert squared_gradient_norms(x @ w, x).tolist() == pytest.approx([25.0] * 5)


def test_a_quadratic_critic_has_four_times_its_squared_distance() -> None:
    x = torch.tensor([[1.0, 2.0], [0.0, -3.0]], requires_grad=True)
    assert squared_gradient_norms(x.square().sum(1), x).tolist() == pytest.approx([20.0, 36.0])


def test_the_norm_is_taken_over_a_whole_image() -> None:
    x = torch.zeros(2, 3, 4, 5, requires_grad=True)
    assert squared_gradient_norms(2 * x.sum((1, 2, 3)), x).tolist() == pytest.approx([4 * 60.0] * 2)


def test_the_gradient_of_the_penalty_of_a_linear_critic_is_twice_its_weights() -> None:
    w = torch.tensor([3.0, -4.0], requires_grad=True)
    x = torch.randn(4, 2, generator=torch.Generator().manual_seed(0)).requires_grad_()
    squared_gradient_norms(x @ w, x).mean().backward()
    assert w.grad is not None
    assert w.grad.tolist() == pytest.approx([6.0, -8.0])


def test_second_derivatives_match_numerical_ones() -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(2, 4), nn.Softplus(), nn.Linear(4, 1)).double()
    x = torch.randn(3, 2, dtype=torch.float64)

    def penalty(weight: Tensor) -> Tensor:
        inputs = x.clone().requires_grad_()
        hidden = nn.functional.softplus(nn.functional.linear(inputs, weight, network[0].bias))
        return squared_gradient_norms(network[2](hidden).squeeze(1), inputs).mean()

    assert torch.autograd.gradcheck(penalty, (network[0].weight.detach().clone().requires_grad_(),))


def test_a_linear_critic_has_the_wgan_gp_penalty_of_its_norm_less_one_squared() -> None:
    w = torch.tensor([3.0, -4.0])
    real, fake = torch.randn(2, 6, 2, generator=torch.Generator().manual_seed(0))
    points = between(real, fake, torch.Generator().manual_seed(1))
    assert norm_penalties(points @ w, points).tolist() == pytest.approx([16.0] * 6)
    assert norm_penalties(points @ w, points, target=3.0).tolist() == pytest.approx([4.0] * 6)


def test_the_norm_penalty_is_of_a_whole_image_not_of_each_pixel() -> None:
    x = torch.zeros(2, 3, 4, 5, requires_grad=True)
    assert norm_penalties(x.sum((1, 2, 3)), x).tolist() == pytest.approx([(60**0.5 - 1) ** 2] * 2)


def test_points_between_lie_on_the_line_of_their_pair_with_one_fraction_each() -> None:
    real, fake = torch.randn(
        2, 1000, 3, 2, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64
    )
    points = between(real, fake, torch.Generator().manual_seed(1))
    shares = ((points - fake) / (real - fake)).flatten(1)
    assert torch.allclose(shares, shares[:, :1].expand_as(shares))
    assert 0 <= shares.min() < 0.01
    assert 0.99 < shares.max() <= 1
    assert points.requires_grad
    assert points.grad_fn is None


def test_points_around_real_samples_have_normal_noise_in_units_of_the_data() -> None:
    real = 3 + 2 * torch.randn(50_000, 2, generator=torch.Generator().manual_seed(0))
    noise = (around(real, 0.5, torch.Generator().manual_seed(1)) - real).detach()
    assert noise.std().item() == pytest.approx(1.0, rel=0.02)
    assert abs(noise.mean().item()) < 0.02


@pytest.mark.parametrize("at_zero", [False, True])
def test_second_derivatives_of_the_norm_penalty_are_right_and_finite_at_a_flat_critic(
    at_zero: bool,
) -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(2, 4), nn.Softplus(), nn.Linear(4, 1)).double()
    x = torch.randn(3, 2, dtype=torch.float64)

    def penalty(weight: Tensor) -> Tensor:
        inputs = x.clone().requires_grad_()
        hidden = nn.functional.softplus(nn.functional.linear(inputs, weight, network[0].bias))
        return norm_penalties(network[2](hidden).squeeze(1), inputs).mean()

    weight = network[0].weight.detach().clone().mul_(0 if at_zero else 1).requires_grad_()
    if at_zero:
        assert torch.autograd.grad(penalty(weight), weight)[0].isfinite().all()
    else:
        assert torch.autograd.gradcheck(penalty, (weight,))

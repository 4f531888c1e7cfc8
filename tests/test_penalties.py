"""Penalties against closed forms and numerical second derivatives."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from equipoise.penalties import squared_gradient_norms


def test_a_linear_critic_has_the_squared_norm_of_its_weights_at_every_sample() -> None:
    w = torch.tensor([3.0, -4.0])
    x = torch.randn(5, 2, generator=torch.Generator().manual_seed(0)).requires_grad_()
    assert squared_gradient_norms(x @ w, x).tolist() == pytest.approx([25.0] * 5)


def test_a_quadratic_critic_has_four_times_its_squared_distance() -> None:
    x = torch.tensor([[1.0, 2.0], [0.0, -3.0]], requires_grad=True)
    assert squared_gradient_norms(x.square().sum(1), x).tolist() == pytest.approx([20.0, 36.0])


def test_the_norm_is_taken_over_a_whole_picture() -> None:
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

"""Arithmetic counted against closed forms: forwards, backwards and the second
derivatives of penalties."""

from __future__ import annotations

import pytest
import torch
from benchmarks.flops import flops_of, product, product_flops
from torch import Tensor, nn

N = 4


def penalised(network: nn.Module, x: Tensor) -> None:
    """The logits' sum and the squared gradients' at x, and the gradient of both for all
    weights and x."""
    x = x.requires_grad_()
    y = network(x).sum()
    slopes = torch.autograd.grad(y, x, create_graph=True)[0]
    torch.autograd.backward(y + slopes.square().sum())


def test_a_product_of_square_matrices() -> None:
    assert (
        flops_of(product(torch.float32, 32))
        == {torch.float32: product_flops(32)}
        == {torch.float32: 2 * 32**3}
    )


def test_products_are_counted_by_type() -> None:
    def both() -> None:
        product(torch.float32, 8)()
        product(torch.bfloat16, 16)()

    assert flops_of(both) == {torch.float32: 2 * 8**3, torch.bfloat16: 2 * 16**3}


def test_a_dense_layer_forwards_and_backwards_costs_three_products() -> None:
    layer, x = nn.Linear(3, 5), torch.zeros(N, 3, requires_grad=True)
    once = 2 * N * 3 * 5
    assert flops_of(lambda: layer(x)) == {torch.float32: once}
    assert flops_of(lambda: torch.autograd.backward(layer(x).sum())) == {torch.float32: 3 * once}


@pytest.mark.parametrize(
    ("layer", "shape", "once"),
    [
        (nn.Linear(3, 5), (N, 3), 2 * N * 3 * 5),
        (nn.Conv2d(3, 5, 3, padding=1), (N, 3, 6, 6), 2 * N * 3 * 5 * 9 * 6 * 6),
    ],
)
def test_a_layer_under_a_gradient_penalty_costs_six_times_its_forward_pass(
    layer: nn.Module, shape: tuple[int, ...], once: int
) -> None:
    # forwards 1; the gradient at x 1; back through that gradient 2, to the weights and
    # to the layer above; back through the forward pass 2, to the weights and to x
    network = nn.Sequential(layer, nn.Softplus())
    assert flops_of(lambda: penalised(network, torch.randn(*shape))) == {torch.float32: 6 * once}


def test_a_small_discriminator_under_a_gradient_penalty() -> None:
    first, last = 2 * N * 2 * 7, 2 * N * 7
    network = nn.Sequential(nn.Linear(2, 7), nn.Softplus(), nn.Linear(7, 1))
    # The last layer is linear and its logits are summed as they are: what comes from
    # above its gradient is a constant, so that going back through that gradient costs
    # one product and not two.
    assert flops_of(lambda: penalised(network, torch.randn(N, 2))) == {
        torch.float32: 6 * first + 5 * last
    }

"""BatchNorm of a shared batch: torch's own, where one process has it all."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import Tensor, nn

from equipoise.networks.batchnorm import (
    SynchronisedBatchNorm,
    has_batch_norm,
    of_this_process,
    synchronise,
)

SHAPES = {1: (6, 3), 2: (6, 3, 4, 5), 3: (6, 3, 2, 2, 2)}


def layer_of(dimensions: int, momentum: float | None = 0.1, affine: bool = True) -> nn.Module:
    kinds = {1: nn.BatchNorm1d, 2: nn.BatchNorm2d, 3: nn.BatchNorm3d}
    layer = kinds[dimensions](3, momentum=momentum, affine=affine).double()
    if affine:
        nn.init.normal_(layer.weight)
        nn.init.normal_(layer.bias)
    return layer


@pytest.mark.parametrize("dimensions", [1, 2, 3])
@pytest.mark.parametrize(("momentum", "affine"), [(0.1, True), (None, False)])
def test_alone_it_is_torchs_layer_with_the_same_tensors_and_names(
    dimensions: int, momentum: float | None, affine: bool
) -> None:
    network = nn.Sequential(layer_of(dimensions, momentum, affine))
    expected = copy.deepcopy(network)
    parameters = [*network.parameters()]
    synchronise(network, lambda statistics: statistics)
    assert isinstance(network[0], SynchronisedBatchNorm)
    assert has_batch_norm(network)
    assert all(a is b for a, b in zip(network.parameters(), parameters, strict=True))
    for _ in range(3):
        x = torch.randn(SHAPES[dimensions], dtype=torch.float64)
        ours, theirs = (x.clone().requires_grad_() for _ in range(2))
        out, right = network(ours), expected(theirs)
        assert torch.allclose(out, right)
        weight = torch.randn_like(out)
        (out * weight).sum().backward()
        (right * weight).sum().backward()
        assert ours.grad is not None
        assert theirs.grad is not None
        assert torch.allclose(ours.grad, theirs.grad)
    stored, right_stored = network.state_dict(), expected.state_dict()
    assert stored.keys() == right_stored.keys()
    assert all(torch.allclose(stored[name], right_stored[name]) for name in stored)
    x = torch.randn(SHAPES[dimensions], dtype=torch.float64)
    assert torch.allclose(network.eval()(x), expected.eval()(x))


def test_parts_are_normalised_by_the_statistics_of_the_whole_batch() -> None:
    whole = torch.randn(8, 3, 4, 4, dtype=torch.float64) * 2 + 5
    layer = layer_of(2)
    right = copy.deepcopy(layer)(whole)
    told: list[Tensor] = []

    def listen(statistics: Tensor) -> Tensor:
        told.append(statistics)
        return statistics

    network = nn.Sequential(copy.deepcopy(layer))
    synchronise(network, listen)
    for part in whole.chunk(2):
        network(part)
    synchronised = nn.Sequential(layer)
    synchronise(synchronised, lambda _: torch.cat(told))
    assert torch.allclose(torch.cat([synchronised(part) for part in whole.chunk(2)]), right)


@pytest.mark.parametrize("affine", [True, False])
def test_a_gradient_that_is_differentiated_again_is_torchs(affine: bool) -> None:
    network = nn.Sequential(layer_of(2, affine=affine), nn.Softplus())
    expected = copy.deepcopy(network)
    synchronise(network, lambda statistics: statistics)
    x = torch.randn(SHAPES[2], dtype=torch.float64)
    found = []
    for of in (network, expected):
        at = x.clone().requires_grad_()
        weight = torch.linspace(-1, 1, x.numel(), dtype=x.dtype).view(x.shape)
        (slopes,) = torch.autograd.grad((of(at) * weight).sum(), at, create_graph=True)
        penalty = slopes.square().sum()
        found.append(torch.autograd.grad(penalty, [at, *of.parameters()], allow_unused=True))
    for ours, theirs in zip(*found, strict=True):
        if theirs is None or ours is None:
            assert all(of is None or not of.any() for of in (ours, theirs))
        else:
            assert torch.allclose(ours, theirs)


def test_bfloat16_is_normalised_in_float32() -> None:
    layer = nn.Sequential(nn.BatchNorm2d(3))
    synchronise(layer, lambda statistics: statistics)
    x = torch.randn(4, 3, 8, 8).bfloat16() + 100
    out = layer(x)
    assert out.dtype == torch.bfloat16
    assert out.float().var().item() == pytest.approx(1, abs=0.05)


def test_a_context_keeps_other_processes_out() -> None:
    network = nn.Sequential(nn.BatchNorm1d(3))

    def refuse(_: Tensor) -> Tensor:
        raise AssertionError("it waits for other processes")

    synchronise(network, refuse)
    with of_this_process(network):
        network(torch.randn(4, 3))
    with pytest.raises(AssertionError):
        network(torch.randn(4, 3))

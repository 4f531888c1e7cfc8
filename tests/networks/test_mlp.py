from __future__ import annotations

import torch

from equipoise.networks.mlp import BatchAsVector, Dropout, Shaped, mlp


def test_an_mlp_maps_between_its_sizes_and_ends_linear_without_a_last_activation() -> None:
    network = mlp([3, 8, 2], ["leaky_relu"])
    assert network(torch.randn(5, 3)).shape == (5, 2)
    assert isinstance(network[-1], torch.nn.Linear)


def test_dropout_is_off_when_sampling_and_keeps_the_mean_when_training() -> None:
    layer, x = Dropout(0.25), torch.ones(100_000)
    layer.generator = torch.Generator().manual_seed(0)
    dropped = layer.train()(x)
    assert torch.equal(layer.eval()(x), x)
    assert abs(float((dropped == 0).float().mean()) - 0.25) < 0.005
    assert abs(float(dropped.mean()) - 1) < 0.01


def test_what_a_network_puts_out_is_never_dropped() -> None:
    layers = [
        type(layer).__name__ for layer in mlp([3, 8, 8, 2], ["relu", "relu", "tanh"], dropout=0.5)
    ]
    assert layers.count("Dropout") == 2
    assert layers[-2:] == ["Linear", "Tanh"]


def test_dropout_masks_come_from_its_own_generator() -> None:
    layer, x = Dropout(0.5), torch.ones(1000)
    layer.generator = torch.Generator().manual_seed(3)
    first = layer(x)
    layer.generator.manual_seed(3)
    torch.manual_seed(99)
    assert torch.equal(layer(x), first)


def test_a_batch_as_a_vector_gives_one_row_with_each_squared_distance_to_the_mean() -> None:
    seen = BatchAsVector(torch.nn.Identity(), spread=True)(torch.tensor([[1.0], [2.0], [6.0]]))
    assert seen.tolist() == [[1.0, 2.0, 6.0, 4.0, 1.0, 9.0]]


def test_shaped_flattens_and_restores() -> None:
    network = Shaped(torch.nn.Identity(), (2, 3))
    x = torch.arange(12.0).reshape(2, 2, 3)
    assert torch.equal(network(x), x)

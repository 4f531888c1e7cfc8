from __future__ import annotations

import torch

from equipoise.networks.conditioning import Discriminator, Generator
from equipoise.networks.mlp import mlp


def test_the_projection_discriminator_adds_the_inner_product_with_the_class() -> None:
    torch.manual_seed(0)
    player = Discriminator(mlp([2, 6], ["leaky_relu"]), 6, classes=3)
    x, y = torch.randn(4, 2), torch.tensor([0, 1, 2, 1])
    h = player.trunk(x)
    expected = player.head(h).squeeze(1) + torch.einsum("nf,nf->n", player.embedding.weight[y], h)
    assert torch.allclose(player(x, y), expected)


def test_the_class_joins_the_latent_as_a_one_hot_vector() -> None:
    player = Generator(torch.nn.Identity(), classes=3)
    assert player(torch.tensor([[7.0]]), torch.tensor([1])).tolist() == [[7.0, 0.0, 1.0, 0.0]]


def test_without_classes_labels_are_not_looked_at() -> None:
    player = Discriminator(mlp([2, 6], ["leaky_relu"]), 6)
    x = torch.randn(4, 2)
    assert torch.equal(player(x, torch.tensor([0, 1, 2, 1])), player(x))

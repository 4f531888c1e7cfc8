from __future__ import annotations

import torch

from equipoise.networks.conditioning import Discriminator, Generator, beside
from equipoise.networks.mlp import mlp


def test_the_projection_discriminator_adds_the_inner_product_with_the_class() -> None:
    torch.manual_seed(0)
    player = Discriminator(mlp([2, 6], ["leaky_relu"]), 6, classes=3)
    x, y = torch.randn(4, 2), torch.tensor([0, 1, 2, 1])
    h = player.trunk(x)
    expected = player.head(h).squeeze(1) + torch.einsum("nf,nf->n", player.embedding.weight[y], h)
    assert torch.allclose(player(x, y)[0], expected)


def test_the_class_joins_the_latent_as_a_one_hot_vector() -> None:
    player = Generator(torch.nn.Identity(), classes=3)
    assert player(torch.tensor([[7.0]]), torch.tensor([1])).tolist() == [[7.0, 0.0, 1.0, 0.0]]


def test_of_several_classes_at_once_the_vector_has_as_many_ones_and_embeddings_are_summed() -> None:
    y = torch.tensor([[0, 3], [1, 2]])
    assert Generator(torch.nn.Identity(), classes=4)(torch.tensor([[7.0], [8.0]]), y).tolist() == [[7, 1, 0, 0, 1], [8, 0, 1, 1, 0]]
    player, x = Discriminator(torch.nn.Identity(), 2, classes=4), torch.randn(2, 2)
    expected = player.head(x).squeeze(1) + ((player.embedding.weight[y[:, 0]] + player.embedding.weight[y[:, 1]]) * x).sum(1)
    assert torch.allclose(player(x, y)[0], expected)


def test_without_classes_labels_are_not_looked_at() -> None:
    player = Discriminator(mlp([2, 6], ["leaky_relu"]), 6)
    x = torch.randn(4, 2)
    assert torch.equal(player(x, torch.tensor([0, 1, 2, 1]))[0], player(x)[0])


def test_by_concatenation_the_class_stands_beside_points_as_one_hot_and_beside_pictures_as_planes() -> None:
    y = torch.tensor([0, 2])
    assert beside(torch.tensor([[5.0], [7.0]]), y, 3).tolist() == [[5.0, 1.0, 0.0, 0.0], [7.0, 0.0, 0.0, 1.0]]
    planes = beside(torch.full((2, 1, 4, 5), 9.0), y, 3)
    assert planes.shape == (2, 4, 4, 5)
    assert (planes[1, 3] == 1).all()
    assert (planes[1, 1:3] == 0).all()
    trunk = mlp([1 + 3, 6], ["leaky_relu"])
    player, x = Discriminator(trunk, 6, classes=3, conditioning="concatenation"), torch.randn(2, 1)
    assert torch.equal(player(x, y)[0], player.head(trunk(beside(x, y, 3))).squeeze(1))
    assert not torch.equal(player(x, y)[0], player(x, torch.tensor([1, 1]))[0])


def test_an_auxiliary_head_shares_the_trunk() -> None:
    trunk, head = mlp([2, 6], ["leaky_relu"]), torch.nn.Linear(6, 4)
    player, x = Discriminator(trunk, 6, auxiliary=head), torch.randn(5, 2)
    logits, answers = player(x)
    assert torch.equal(logits, player.head(trunk(x)).squeeze(1))
    assert torch.equal(answers, head(trunk(x)))
    assert torch.equal(player.answers(x), answers)
    assert Discriminator(trunk, 6)(x)[1].shape == (5, 0)

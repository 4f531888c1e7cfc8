from __future__ import annotations

import torch

from equipoise.networks.conditioning import Discriminator, Generator, concatenate_classes
from equipoise.networks.mlp import mlp


def test_the_projection_discriminator_adds_the_inner_product_with_the_class() -> None:
    torch.manual_seed(0)
    network = Discriminator(mlp([2, 6], ["leaky_relu"]), 6, classes=3)
    x, y = torch.randn(4, 2), torch.tensor([0, 1, 2, 1])
    h = network.trunk(x)
    expected = network.head(h).squeeze(1) + torch.einsum("nf,nf->n", network.embedding.weight[y], h)
    assert torch.allclose(network(x, y)[0], expected)


def test_the_class_joins_the_latent_as_a_one_hot_vector() -> None:
    network = Generator(torch.nn.Identity(), classes=3)
    assert network(torch.tensor([[7.0]]), torch.tensor([1])).tolist() == [[7.0, 0.0, 1.0, 0.0]]


def test_of_several_classes_at_once_the_vector_has_as_many_ones_and_embeddings_are_summed() -> None:
    y = torch.tensor([[0, 3], [1, 2]])
    assert Generator(torch.nn.Identity(), classes=4)(torch.tensor([[7.0], [8.0]]), y).tolist() == [
        [7, 1, 0, 0, 1],
        [8, 0, 1, 1, 0],
    ]
    network, x = Discriminator(torch.nn.Identity(), 2, classes=4), torch.randn(2, 2)
    expected = network.head(x).squeeze(1) + (
        (network.embedding.weight[y[:, 0]] + network.embedding.weight[y[:, 1]]) * x
    ).sum(1)
    assert torch.allclose(network(x, y)[0], expected)


def test_without_classes_labels_are_not_looked_at() -> None:
    network = Discriminator(mlp([2, 6], ["leaky_relu"]), 6)
    x = torch.randn(4, 2)
    assert torch.equal(network(x, torch.tensor([0, 1, 2, 1]))[0], network(x)[0])


def test_concatenation_appends_a_one_hot_class_to_points_and_planes_to_images() -> None:
    y = torch.tensor([0, 2])
    assert concatenate_classes(torch.tensor([[5.0], [7.0]]), y, 3).tolist() == [
        [5.0, 1.0, 0.0, 0.0],
        [7.0, 0.0, 0.0, 1.0],
    ]
    planes = concatenate_classes(torch.full((2, 1, 4, 5), 9.0), y, 3)
    assert planes.shape == (2, 4, 4, 5)
    assert (planes[1, 3] == 1).all()
    assert (planes[1, 1:3] == 0).all()
    trunk = mlp([1 + 3, 6], ["leaky_relu"])
    network, x = Discriminator(trunk, 6, classes=3, conditioning="concatenation"), torch.randn(2, 1)
    assert torch.equal(
        network(x, y)[0], network.head(trunk(concatenate_classes(x, y, 3))).squeeze(1)
    )
    assert not torch.equal(network(x, y)[0], network(x, torch.tensor([1, 1]))[0])


def test_an_auxiliary_head_shares_the_trunk() -> None:
    trunk, head = mlp([2, 6], ["leaky_relu"]), torch.nn.Linear(6, 4)
    network, x = Discriminator(trunk, 6, auxiliary=head), torch.randn(5, 2)
    logits, answers = network(x)
    assert torch.equal(logits, network.head(trunk(x)).squeeze(1))
    assert torch.equal(answers, head(trunk(x)))
    assert torch.equal(network.auxiliary_outputs(x), answers)
    assert Discriminator(trunk, 6)(x)[1].shape == (5, 0)

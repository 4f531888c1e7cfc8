"""Every layer's matrix has largest singular value 1."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from equipoise.networks.conditioning import Discriminator
from equipoise.networks.dcgan import DCTrunk
from equipoise.networks.spectral import spectrally_normalised


def test_every_layer_of_a_discriminator_is_divided_by_its_largest_singular_value() -> None:
    torch.manual_seed(0)
    trunk = DCTrunk((1, 8, 8), 4, norm=False)
    network = spectrally_normalised(Discriminator(trunk, trunk.features, classes=3))
    for _ in range(100):  # one power iteration each
        network(torch.randn(2, 1, 8, 8), torch.tensor([0, 2]))
    layers = [
        layer
        for layer in network.modules()
        if isinstance(layer, nn.Linear | nn.Conv2d | nn.Embedding)
    ]
    assert len(layers) == 4
    for layer in layers:
        assert torch.linalg.matrix_norm(layer.weight.flatten(1), 2).item() == pytest.approx(
            1, abs=1e-3
        )

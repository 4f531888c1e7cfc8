"""Spectral normalisation of a network: each layer's matrix is divided by its largest
singular value.

Miyato, Kataoka, Koyama, Yoshida: "Spectral Normalization for Generative Adversarial
Networks", ICLR 2018, eq. 8; torch's own parametrization, one power iteration a forward
pass while training.
"""

from __future__ import annotations

from torch import nn
from torch.nn.utils.parametrizations import spectral_norm


def spectrally_normalised(network: nn.Module) -> nn.Module:
    """Normalise each dense layer, convolution and embedding of `network` in place.

    Returns:
        `network`.
    """
    for layer in list(network.modules()):
        if isinstance(layer, nn.Linear | nn.Conv2d | nn.Embedding):
            spectral_norm(layer)
    return network

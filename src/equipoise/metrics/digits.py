"""The digit classifier: the features that MNIST samples are measured on, because
Inception's were trained on photographs.

A small convolutional network, trained by `scripts/train_digit_classifier.py` and
shipped as safetensors. A metric on its features is named after them, never "FID"
alone.
"""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.resources import files
from itertools import pairwise

import torch
from safetensors.torch import load
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from equipoise.errors import EquipoiseError

WEIGHTS = "digit_classifier.safetensors"
WEIGHTS_SHA256 = "983caf18fc2774ec17ccfd8ef7150c754436e791c96fb6074d35071603297700"
FEATURES = 96
BATCH = 64  # images a forward pass: 6 MB of activations, which stay in the cache


class DigitClassifier(nn.Module):
    """Six 3 x 3 convolutions, two poolings, a global mean: pixels (N, 1, 28, 28) in [0,
    1] to logits (N, 10)."""

    def __init__(self) -> None:
        super().__init__()
        widths = (1, 32, 32, 64, 64, FEATURES, FEATURES)
        layers: list[nn.Module] = []
        for i, (before, after) in enumerate(pairwise(widths)):
            layers += [
                nn.Conv2d(before, after, 3, padding=1, bias=False),
                nn.BatchNorm2d(after),
                nn.ReLU(),
            ]
            if i in (1, 3):
                layers.append(nn.MaxPool2d(2))
        self.trunk: nn.Sequential = nn.Sequential(*layers)
        self.head: nn.Linear = nn.Linear(FEATURES, 10)

    def features(self, x: Tensor) -> Tensor:
        """The mean of the last feature maps over the image: (N, 96)."""
        maps: Tensor = self.trunk(x)
        return maps.mean(dim=(2, 3))

    def forward(self, x: Tensor) -> Tensor:
        """Logits of the ten digits, (N, 10)."""
        logits: Tensor = self.head(self.features(x))
        return logits


@cache
def classifier() -> DigitClassifier:
    """The shipped classifier, in evaluation mode.

    Raises:
        EquipoiseError: If its file is not the one that was shipped.
    """
    raw = files("equipoise.metrics").joinpath(WEIGHTS).read_bytes()
    if hashlib.sha256(raw).hexdigest() != WEIGHTS_SHA256:
        raise EquipoiseError(
            f"{WEIGHTS} is damaged: its SHA-256 is not {WEIGHTS_SHA256[:12]}...; install "
            "equipoise again"
        )
    network = DigitClassifier()
    network.load_state_dict(load(raw))
    network.eval().requires_grad_(False)
    network.trunk = _folded(network.trunk)
    for layer in network.trunk:
        if isinstance(layer, nn.Conv2d):
            layer.weight.data = layer.weight.data.contiguous(memory_format=torch.channels_last)
    return network


def _folded(trunk: nn.Sequential) -> nn.Sequential:
    """The same function with each BatchNorm folded into the convolution before it, and
    the ReLUs in place: a third of the time."""
    layers: list[nn.Module] = []
    for layer in trunk:
        before = layers[-1] if layers else None
        if isinstance(layer, nn.BatchNorm2d) and isinstance(before, nn.Conv2d):
            layers[-1] = fuse_conv_bn_eval(before, layer)
        else:
            layers.append(nn.ReLU(inplace=True) if isinstance(layer, nn.ReLU) else layer)
    return nn.Sequential(*layers)


@torch.no_grad()
def read_digits(x: Tensor) -> tuple[Tensor, Tensor]:
    """Features (N, 96) and class probabilities (N, 10) of grey digits x, uint8 of shape
    (N, 28, 28)."""
    network = classifier()
    features = torch.empty(len(x), FEATURES)
    for start in range(0, len(x), BATCH):
        part = x[start : start + BATCH].unsqueeze(1).float() / 255
        features[start : start + BATCH] = network.features(
            part.contiguous(memory_format=torch.channels_last)
        )
    return features, network.head(features).softmax(dim=1)

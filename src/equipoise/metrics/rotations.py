"""Features of a network that learned on the spot, from the real images alone, to tell
by how much an image is turned: 0, 90, 180 or 270 degrees.

Gidaris, Singh, Komodakis: "Unsupervised Representation Learning by Predicting Image
Rotations", ICLR 2018. To know what is upright the network must see what an image is of.
It needs no labels and no pretrained weights, and no generator has trained on it: it
judges those that trained on EfficientNet-Lite0's features, whose metrics flatter them.

It hardly sees noise and blur, which patches do. Trained for 11 s of one core on 2,000
images of CIFAR-10, it gave blends of two images 7 times the Fréchet distance of real
ones, and images of one class only 23 times (benchmarks/EXPERIMENTS.md).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from equipoise.metrics.classifier import BATCH, Classifier, train_classifier
from equipoise.metrics.photos import resized

Array = NDArray[np.float64]
MAX_SIDE = 64  # pixels of the longer side that the network sees
MAX_IMAGES = 2_000  # that it learns from
MAX_VALUES = 16_000_000  # of these images; each is turned up to three times
# Multiplications that take a training as long as the features, for each value.
VALUE_COST = 2_000.0


@dataclass(frozen=True)
class RotationNetwork:
    """A classifier of rotations, and the (height, width) that it sees images at."""

    classifier: Classifier
    size: tuple[int, int]

    @torch.no_grad()
    def features(self, x: Array) -> Array:
        """The activations before its last layer, (N, 64), of images (N, C, H, W)."""
        assert isinstance(self.classifier.network, nn.Sequential)
        trunk = self.classifier.network[0]
        parts = [
            trunk(self.classifier.scaled(torch.from_numpy(fitted(part, self.size))))
            for part in np.array_split(x, max(-(-len(x) // BATCH), 1))
        ]
        values: Array = torch.cat(parts).double().numpy()
        return values


def train_rotation_network(x: Array, seed: int, steps: int) -> RotationNetwork:
    """Train a network to tell by how much images are turned.

    Images that are not square are upright or upside down.

    Args:
        x: Real images, (N, C, H, W).
        seed: Of the weights and batches.
        steps: Of training.
    """
    size = seen_size(x.shape[2:])
    upright = fitted(x, size)
    turns = (0, 1, 2, 3) if size[0] == size[1] else (0, 2)
    turned = np.concatenate([np.rot90(upright, turn, (2, 3)) for turn in turns])
    classes = np.arange(len(turns)).repeat(len(upright))
    return RotationNetwork(train_classifier(turned, classes, len(turns), seed, steps), size)


def learned_from(shape: tuple[int, ...]) -> int:
    """How many images of this shape, (C, H, W), a network learns from."""
    return max(min(MAX_IMAGES, MAX_VALUES // math.prod(shape)), 1)


def seen_size(size: tuple[int, ...]) -> tuple[int, int]:
    """The (height, width) that images of this one are seen at: the longer side at most
    `MAX_SIDE`."""
    factor = min(MAX_SIDE / max(size), 1.0)
    height, width = (max(round(side * factor), 1) for side in size)
    return height, width


def fitted(x: Array, size: tuple[int, int]) -> Array:
    """Images (N, C, H, W) of this size; resized in batches where they have another."""
    if x.shape[2:] == size:
        return x
    small = np.empty((*x.shape[:2], *size))
    for start in range(0, len(x), BATCH):
        part = slice(start, start + BATCH)
        small[part] = resized(torch.from_numpy(x[part]).float(), size).numpy()
    return small

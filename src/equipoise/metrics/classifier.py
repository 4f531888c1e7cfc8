"""A small classifier of points or images, trained for metrics that need one."""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from equipoise.metrics.budget import FULL
from equipoise.networks.conv import ConvTrunk
from equipoise.networks.mlp import mlp
from equipoise.networks.seeded_init import SeededInit

Array = NDArray[np.float64]
Classes = NDArray[np.integer]
BATCH = 256
POINT_STEPS, IMAGE_STEPS = 1000, FULL.image_steps
POINT_RATE, IMAGE_RATE = 3e-3, 2e-3
POINT_WIDTH, IMAGE_WIDTH, IMAGE_FEATURES = 128, 12, 64
VALIDATION_PART = 10  # one row in ten is a validation split
VALIDATIONS = 10  # in a training; the weights with the least validation loss are kept


@dataclass(frozen=True)
class Classifier:
    """A network and the scaling of its input: the mean and standard deviation of each
    column, or of each channel."""

    network: nn.Module
    mean: Tensor
    std: Tensor

    @torch.no_grad()
    def predict(self, x: Array, counts: NDArray[np.integer] | None = None) -> NDArray[np.int64]:
        """The likeliest class of each sample.

        Args:
            x: Samples, (N, D) or (N, C, H, W).
            counts: Of the classes in its training data, (K,). Given them, predict the
                likeliest class if all were equally common.

        Returns:
            Classes from 0, (N,).
        """
        prior = torch.zeros(1) if counts is None else torch.from_numpy(counts).clamp(min=1).log()
        parts = [
            (self.network(self.scaled(part)) - prior).argmax(1)
            for part in torch.split(torch.from_numpy(x), BATCH)
        ]
        predicted: NDArray[np.int64] = torch.cat(parts).numpy()
        return predicted

    def scaled(self, x: Tensor) -> Tensor:
        """Samples as the network takes them."""
        return ((x - self.mean) / self.std).float()


def train_classifier(
    x: Array, y: Classes, number: int, seed: int = 0, image_steps: int = IMAGE_STEPS
) -> Classifier:
    """Train a classifier: an MLP for points, a small convolutional network for images.

    Adam with a cosine schedule; the weights that do best on a tenth of the rows are
    kept.

    Args:
        x: Samples, (N, D) or (N, C, H, W).
        y: Their classes from 0, (N,).
        number: How many classes there are.
        seed: Of the weights, the split and the batches.
        image_steps: Training steps for images.
    """
    rows = torch.from_numpy(x)
    axes = (0,) if x.ndim == 2 else (0, 2, 3)
    std = rows.std(axes, keepdim=True)
    randomness = torch.Generator().manual_seed(seed)
    with SeededInit(torch.Generator().manual_seed(seed)):
        network = _network(x.shape[1:], number)
    classifier = Classifier(network, rows.mean(axes, keepdim=True), torch.where(std > 0, std, 1.0))
    order = torch.randperm(len(rows), generator=randomness)
    scaled, classes = classifier.scaled(rows)[order], torch.from_numpy(y)[order].long()
    validated = max(len(rows) // VALIDATION_PART, 1)
    steps = POINT_STEPS if x.ndim == 2 else image_steps
    _train(
        network,
        (scaled[validated:], classes[validated:]),
        (scaled[:validated], classes[:validated]),
        randomness,
        steps,
    )
    return classifier


def cross_predict(
    x: Array, y: Classes, number: int, seed: int = 0, image_steps: int = IMAGE_STEPS
) -> NDArray[np.int64]:
    """Two-fold cross-validated predictions, of the likeliest class if all were equally
    common.

    Args:
        x: Samples, (N, D) or (N, C, H, W).
        y: Their classes from 0, (N,).
        number: How many classes there are.
        seed: Of the halves and the trainings.
        image_steps: Training steps for images.

    Returns:
        The class that a classifier trained on the other half predicts, (N,).
    """
    predicted = np.empty(len(x), np.int64)
    halves = np.array_split(np.random.default_rng(seed).permutation(len(x)), 2)
    for trained, tested in (halves, halves[::-1]):
        classifier = train_classifier(x[trained], y[trained], number, seed, image_steps)
        predicted[tested] = classifier.predict(x[tested], np.bincount(y[trained], minlength=number))
    return predicted


def _network(shape: tuple[int, ...], number: int) -> nn.Module:
    if len(shape) == 1:
        return mlp([shape[0], *[POINT_WIDTH] * 3, number], ["leaky_relu"] * 3)
    return nn.Sequential(
        ConvTrunk(shape, IMAGE_WIDTH, IMAGE_FEATURES), nn.Linear(IMAGE_FEATURES, number)
    )


@torch.enable_grad()  # whatever the caller of `evaluate` has set
def _train(
    network: nn.Module,
    rows: tuple[Tensor, Tensor],
    validation: tuple[Tensor, Tensor],
    randomness: torch.Generator,
    steps: int,
) -> None:
    x, y = rows
    rate = POINT_RATE if x.dim() == 2 else IMAGE_RATE
    optimizer = torch.optim.Adam(network.parameters(), rate, fused=True)
    best, kept = math.inf, copy.deepcopy(network.state_dict())
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = rate * (1 + math.cos(math.pi * step / steps)) / 2
        batch = torch.randint(len(x), (min(BATCH, len(x)),), generator=randomness)
        loss = cross_entropy(network(x[batch]), y[batch])
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()
        if (step + 1) % (steps // VALIDATIONS) == 0:
            now = _loss(network, *validation)
            if now < best:
                best, kept = now, copy.deepcopy(network.state_dict())
    network.load_state_dict(kept)


@torch.no_grad()
def _loss(network: nn.Module, x: Tensor, y: Tensor) -> float:
    logits = torch.cat([network(part) for part in torch.split(x, BATCH)])
    return float(cross_entropy(logits, y))

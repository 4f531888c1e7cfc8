"""A small classifier of points or images, trained afresh for one question: which of
these classes is a sample of?"""

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
from equipoise.networks.drawing import DrawnFrom
from equipoise.networks.mlp import mlp

Array = NDArray[np.float64]
Classes = NDArray[np.integer]
BATCH = 256
POINT_STEPS, IMAGE_STEPS = 1000, FULL.image_steps
POINT_RATE, IMAGE_RATE = 3e-3, 2e-3
POINT_WIDTH, IMAGE_WIDTH, IMAGE_FEATURES = 128, 12, 64
CHECKED, CHECKS = (
    10,
    10,
)  # one row in ten is not learned from but tried on, ten times, to keep the best that the classifier was


@dataclass(frozen=True)
class Classifier:
    """A network and the scaling of its input: the mean and standard deviation of each
    column, or of each channel."""

    network: nn.Module
    mean: Tensor
    std: Tensor

    @torch.no_grad()
    def read(self, x: Array, counts: NDArray[np.integer] | None = None) -> NDArray[np.int64]:
        """The likeliest class of each of x, (N, D) or (N, C, H, W): (N,); given the
        `counts` of the classes that it learned from, the likeliest if all were equally
        common."""
        prior = torch.zeros(1) if counts is None else torch.from_numpy(counts).clamp(min=1).log()
        parts = [
            (self.network(self._scaled(part)) - prior).argmax(1)
            for part in torch.split(torch.from_numpy(x), BATCH)
        ]
        read: NDArray[np.int64] = torch.cat(parts).numpy()
        return read

    def _scaled(self, x: Tensor) -> Tensor:
        return ((x - self.mean) / self.std).float()


def learn(
    x: Array, y: Classes, number: int, seed: int = 0, image_steps: int = IMAGE_STEPS
) -> Classifier:
    """A classifier of `number` classes, trained on x, (N, D) or (N, C, H, W), and its
    classes y, (N,), from 0.

    An MLP for points, a small convolutional network for images, with Adam and a cosine;
    kept as it was when it did best on a tenth of the rows.
    """
    rows = torch.from_numpy(x)
    axes = (0,) if x.ndim == 2 else (0, 2, 3)
    std = rows.std(axes, keepdim=True)
    randomness = torch.Generator().manual_seed(seed)
    with DrawnFrom(torch.Generator().manual_seed(seed)):
        network = _network(x.shape[1:], number)
    classifier = Classifier(network, rows.mean(axes, keepdim=True), torch.where(std > 0, std, 1.0))
    order = torch.randperm(len(rows), generator=randomness)
    scaled, classes = classifier._scaled(rows)[order], torch.from_numpy(y)[order].long()
    checked = max(len(rows) // CHECKED, 1)
    steps = POINT_STEPS if x.ndim == 2 else image_steps
    _train(
        network,
        (scaled[checked:], classes[checked:]),
        (scaled[:checked], classes[:checked]),
        randomness,
        steps,
    )
    return classifier


def read_across(
    x: Array, y: Classes, number: int, seed: int = 0, image_steps: int = IMAGE_STEPS
) -> NDArray[np.int64]:
    """The class of each of x, (N, D) or (N, C, H, W), the likeliest if all were equally
    common, as a classifier reads it that learned from the other half of the rows: (N,).
    """
    read = np.empty(len(x), np.int64)
    halves = np.array_split(np.random.default_rng(seed).permutation(len(x)), 2)
    for learned, tried in (halves, halves[::-1]):
        classifier = learn(x[learned], y[learned], number, seed, image_steps)
        read[tried] = classifier.read(x[tried], np.bincount(y[learned], minlength=number))
    return read


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
    checked: tuple[Tensor, Tensor],
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
        if (step + 1) % (steps // CHECKS) == 0:
            now = _loss(network, *checked)
            if now < best:
                best, kept = now, copy.deepcopy(network.state_dict())
    network.load_state_dict(kept)


@torch.no_grad()
def _loss(network: nn.Module, x: Tensor, y: Tensor) -> float:
    logits = torch.cat([network(part) for part in torch.split(x, BATCH)])
    return float(cross_entropy(logits, y))

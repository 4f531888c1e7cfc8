"""Evaluation mode and BatchNorm statistics, as context managers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn

from equipoise.networks.batchnorm import BATCH_NORMS, of_this_process


@contextmanager
def recomputing_statistics(network: nn.Module) -> Iterator[bool]:
    """A context in which BatchNorm layers average the statistics of all batches, from
    zero, and all other layers are in evaluation mode. No other process takes part.

    Yields:
        Whether the network has BatchNorm layers.
    """
    layers = [layer for layer in network.modules() if isinstance(layer, BATCH_NORMS)]
    momenta = [layer.momentum for layer in layers]
    with evaluating(network), of_this_process(network), torch.no_grad():
        for layer in layers:
            layer.reset_running_stats()
            layer.momentum = None
            layer.train()
        yield bool(layers)
    for layer, momentum in zip(layers, momenta, strict=True):
        layer.momentum = momentum


@contextmanager
def evaluating(network: nn.Module) -> Iterator[None]:
    """A context with the network in evaluation mode: no dropout, and BatchNorm with its
    running statistics."""
    was_training = network.training
    network.eval()
    try:
        yield
    finally:
        network.train(was_training)

"""BatchNorm: which networks have it, and its form for a batch that several processes
share.

Ioffe and Szegedy: "Batch Normalization: Accelerating Deep Network Training by Reducing
Internal Covariate Shift", ICML 2015. Their statistics are of a whole batch. A process
that has a part of it alone would normalise by the statistics of this part.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import batch_norm

BatchNorm = nn.BatchNorm1d | nn.BatchNorm2d | nn.BatchNorm3d


def _alone(statistics: Tensor) -> Tensor:
    """The statistics of a single process."""
    return statistics


class SynchronisedBatchNorm(nn.Module):
    """BatchNorm of a batch that several processes have equal parts of.

    In place of torch.nn.SyncBatchNorm, which is for GPUs only. Means and variances of
    the parts are gathered, and gradients pass through them to all parts.

    Args:
        layer: The layer that it replaces, whose parameters and buffers it shares.
        gather: The statistics of all processes, one after another, (R, 2, C), from
            those of this one, (1, 2, C), with gradients to each.
    """

    weight: nn.Parameter | None
    bias: nn.Parameter | None
    running_mean: Tensor | None
    running_var: Tensor | None
    num_batches_tracked: Tensor | None

    def __init__(self, layer: BatchNorm, gather: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.eps, self.momentum, self.affine = layer.eps, layer.momentum, layer.affine
        self.gather = gather
        for name in ("weight", "bias"):
            self.register_parameter(name, getattr(layer, name))
        for name in ("running_mean", "running_var", "num_batches_tracked"):
            self.register_buffer(name, getattr(layer, name))
        self.train(layer.training)

    def reset_running_stats(self) -> None:
        """Set the running statistics to those of no batch, as torch's layers do."""
        for statistic, start in (
            (self.running_mean, 0),
            (self.running_var, 1),
            (self.num_batches_tracked, 0),
        ):
            if statistic is not None:
                statistic.fill_(start)

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            statistics, weights = (self.running_mean, self.running_var), (self.weight, self.bias)
            of_batch = self.running_mean is None
            return batch_norm(x, *statistics, *weights, training=of_batch, eps=self.eps)
        dtype = x.dtype
        x = x.float() if dtype in (torch.bfloat16, torch.float16) else x
        others = [axis for axis in range(x.dim()) if axis != 1]
        variance, mean = torch.var_mean(x, others, correction=0)
        means, variances = self.gather(torch.stack([mean, variance])[None]).unbind(1)
        mean = means.mean(0)
        variance = variances.mean(0) + (means - mean).square().mean(0)
        self._track(mean.detach(), variance.detach(), len(means) * x.numel() // x.shape[1])
        scale = (variance + self.eps).rsqrt()
        if self.weight is not None:
            scale = scale * self.weight
        shift = -mean * scale if self.bias is None else self.bias - mean * scale
        sides = (1, -1, *(1,) * (x.dim() - 2))
        return torch.addcmul(shift.reshape(sides), x, scale.reshape(sides)).to(dtype)

    @torch.no_grad()
    def _track(self, mean: Tensor, variance: Tensor, n: int) -> None:
        """Update the running statistics, as torch does, by those of n values a
        channel."""
        if self.running_mean is None or self.running_var is None:
            return
        assert self.num_batches_tracked is not None, "it comes with the running statistics"
        self.num_batches_tracked.add_(1)
        rate = self.momentum
        if rate is None:  # the mean of all batches
            rate = 1.0 / float(self.num_batches_tracked)
        self.running_mean.lerp_(mean.to(self.running_mean.dtype), rate)
        unbiased = variance * (n / max(n - 1, 1))
        self.running_var.lerp_(unbiased.to(self.running_var.dtype), rate)


BATCH_NORMS = (
    nn.BatchNorm1d,
    nn.BatchNorm2d,
    nn.BatchNorm3d,
    nn.SyncBatchNorm,
    SynchronisedBatchNorm,
)


def has_batch_norm(network: nn.Module) -> bool:
    """Whether some layer of the network is BatchNorm."""
    return any(isinstance(layer, BATCH_NORMS) for layer in network.modules())


def synchronise(network: nn.Module, gather: Callable[[Tensor], Tensor]) -> None:
    """Replace the BatchNorm layers in a network by `SynchronisedBatchNorm`; parameters
    and buffers stay the same tensors, with the same names."""
    for name, layer in network.named_children():
        if isinstance(layer, BatchNorm):
            setattr(network, name, SynchronisedBatchNorm(layer, gather))
        else:
            synchronise(layer, gather)


@contextmanager
def of_this_process(network: nn.Module) -> Iterator[None]:
    """A context in which no BatchNorm layer of the network waits for other
    processes."""
    layers = [layer for layer in network.modules() if isinstance(layer, SynchronisedBatchNorm)]
    gathers: list[Any] = [layer.gather for layer in layers]
    for layer in layers:
        layer.gather = _alone
    try:
        yield
    finally:
        for layer, gather in zip(layers, gathers, strict=True):
            layer.gather = gather

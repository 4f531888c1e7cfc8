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
        self.eps: float = layer.eps
        self.momentum: float | None = layer.momentum
        self.affine: bool = layer.affine
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
        with torch.no_grad():
            mean, variance, n = self._statistics(x)
            self._track(mean, variance, n)
        normalised: Tensor = _Normalise.apply(x, self.weight, self.bias, mean, variance, self)  # type: ignore[no-untyped-call]  # torch's own is not typed
        return normalised

    def differentiable(self, x: Tensor) -> Tensor:
        """The output in training, by operations that can be differentiated twice."""
        others = [axis for axis in range(x.dim()) if axis != 1]
        own_variance, own_mean = torch.var_mean(_wide(x), others, correction=0)
        mean, variance, _ = self._of_all(own_mean, own_variance)
        scale = (variance + self.eps).rsqrt()
        if self.weight is not None:
            scale = scale * self.weight
        shift = -mean * scale if self.bias is None else self.bias - mean * scale
        return torch.addcmul(_sides(shift, x), _wide(x), _sides(scale, x)).to(x.dtype)

    def _statistics(self, x: Tensor) -> tuple[Tensor, Tensor, int]:
        """Mean and variance of each channel over the whole batch, and of how many
        values they are."""
        # torch's own, in a twentieth of the time of torch.var_mean. It returns numbers
        # of the type of the running statistics, which it changes by nothing here.
        unused = x.new_zeros(x.shape[1], dtype=_wide(x[:0]).dtype)
        own = torch.batch_norm_update_stats(x, unused, unused.clone(), 0.0)
        mean, variance, parts = self._of_all(*own)
        return mean, variance, parts * x.numel() // x.shape[1]

    def _of_all(self, mean: Tensor, variance: Tensor) -> tuple[Tensor, Tensor, int]:
        """Mean and variance over all processes, and their number."""
        means, variances = self.gather(torch.stack([mean, variance])[None]).unbind(1)
        mean = means.mean(0)
        return mean, variances.mean(0) + (means - mean).square().mean(0), len(means)

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


class _Normalise(torch.autograd.Function):
    """SynchronisedBatchNorm in training. Its gradient is torch's for fixed statistics,
    less what passes through them:

        dx = w / std (dy - mean(dy) - x^ mean(dy x^)),   x^ = (x - mean) / std

    with means over the whole batch. A gradient that is to be differentiated again is
    that of `differentiable`, which takes longer.
    """

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        weight: Tensor | None,
        bias: Tensor | None,
        mean: Tensor,
        variance: Tensor,
        layer: SynchronisedBatchNorm,
    ) -> Tensor:
        ctx.layer = layer
        ctx.save_for_backward(x, weight, bias, mean, variance)
        return batch_norm(x, mean, variance, weight, bias, training=False, eps=layer.eps)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        x, weight, bias, mean, variance = ctx.saved_tensors
        layer: SynchronisedBatchNorm = ctx.layer
        if torch.is_grad_enabled():
            inputs = [value for value in (x, weight, bias) if value is not None]
            found = iter(
                torch.autograd.grad(layer.differentiable(x), inputs, gradients, create_graph=True)
            )
            return *(None if v is None else next(found) for v in (x, weight, bias)), *[None] * 3
        ones = torch.ones_like(mean) if weight is None else weight
        dx, dweight, dbias = torch.ops.aten.native_batch_norm_backward(
            gradients[0], x, ones, mean, variance, None, None, False, layer.eps, [True] * 3
        )
        each = x.numel() // x.shape[1]
        with_x, alone = layer.gather(torch.stack([dweight, dbias])[None]).mean(0) / each
        inverse = (variance + layer.eps).rsqrt()
        slope = -ones * inverse.square() * with_x
        shift = -ones * inverse * alone - slope * mean
        dx.addcmul_(x, _sides(slope, x).to(x.dtype)).add_(_sides(shift, x).to(x.dtype))
        return (
            dx,
            None if weight is None else dweight,
            None if bias is None else dbias,
            *[None] * 3,
        )


def _wide(x: Tensor) -> Tensor:
    """x in float32 at least."""
    return x.float() if x.dtype in (torch.bfloat16, torch.float16) else x


def _sides(channels: Tensor, x: Tensor) -> Tensor:
    """Numbers for each channel, (C,), in a shape that x, (N, C, *sides), is multiplied
    with."""
    return channels.reshape(1, -1, *(1,) * (x.dim() - 2))


BATCH_NORMS = (
    nn.BatchNorm1d,
    nn.BatchNorm2d,
    nn.BatchNorm3d,
    nn.SyncBatchNorm,
    SynchronisedBatchNorm,
)


def is_batch_norm(layer: nn.Module) -> bool:
    """Whether this layer itself is BatchNorm."""
    return isinstance(layer, BATCH_NORMS)


def has_batch_norm(network: nn.Module) -> bool:
    """Whether some layer of the network is BatchNorm."""
    return any(is_batch_norm(layer) for layer in network.modules())


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

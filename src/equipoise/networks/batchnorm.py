"""Which networks have BatchNorm: their outputs depend on the whole batch."""

from __future__ import annotations

from torch import nn

BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.SyncBatchNorm)


def has_batch_norm(network: nn.Module) -> bool:
    """Whether some layer of the network is BatchNorm."""
    return any(isinstance(layer, BATCH_NORMS) for layer in network.modules())

"""One-hot vectors without a wait for the device."""

from __future__ import annotations

from torch import Tensor


def one_hot(like: Tensor, y: Tensor, classes: int) -> Tensor:
    """Classes (N,) as one-hot vectors, (N, classes), and (N, P) as vectors with P ones.

    torch.nn.functional.one_hot checks the classes' range first, which makes the host
    wait for a GPU.

    Args:
        like: A tensor with the result's dtype and device.
        y: Classes.
        classes: Their number.
    """
    return like.new_zeros(y.shape[0], classes).scatter(1, y[:, None] if y.dim() == 1 else y, 1.0)

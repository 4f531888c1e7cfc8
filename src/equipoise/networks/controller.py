"""Controllers: state of a method that training adapts without gradients, such as
BEGAN's k_t or the probability of an adaptive augmentation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from torch import Tensor, nn


class Controller(nn.Module):
    """Base class: buffers that `update` adapts after each step.

    Losses and networks may read the buffers. They are saved, rolled back and moved
    between devices like those of any module. `update` must change them in place
    (`copy_`, `add_`), since compiled steps and saved states hold the tensors.
    """

    after: ClassVar[Literal["discriminator", "generator"]] = "generator"
    """The network after whose optimiser steps `update` is called: each of D's, or G's
    one at the end of a training step."""

    def update(self, readings: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Adapt the buffers, without host-device synchronisation.

        Args:
            readings: The readings of this training step so far: `discriminator_loss`,
                (), `real_logits` and `fake_logits`, (N,), of D's last step, and its
                penalties; after G's step also `generator_loss`, ().

        Returns:
            Readings for the log, (); copies of buffers, which change.
        """
        raise NotImplementedError

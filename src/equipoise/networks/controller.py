"""State of a method that is neither a weight nor a moment of the optimisers: a number
that training adapts as it goes, such as BEGAN's k_t or the probability of an adaptive
augmentation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from torch import Tensor, nn


class Controller(nn.Module):
    """Base class: buffers, and how they follow what the steps read.

    Losses and networks may read the buffers. They are saved, rolled back and moved
    between devices like those of any module. `update` changes them in place (`copy_`,
    `add_`), never by assignment: compiled steps and saved states hold the tensors
    themselves.
    """

    after: ClassVar[Literal["discriminator", "generator"]] = "generator"
    """After whose optimiser step `update` is called: every one of D's, or G's, with
    which a training step ends."""

    def update(self, readings: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Adapt the buffers. Nothing here may make the host wait for the device.

        Args:
            readings: What this training step has read so far: `discriminator_loss`, (),
                `real_logits` and `fake_logits`, (N,), of D's last step, its penalties;
                after G's step `generator_loss`, (), too.

        Returns:
            Readings, (), for the log: copies, since buffers change.
        """
        raise NotImplementedError

"""The guard: when a loss or a gradient is no longer finite, back to the last good
weights, with smaller steps.

Where the numbers went wrong is not asked: gradients are never set to zero in silence.
Data and randomness go on, so that the batches that follow are others.
"""

from __future__ import annotations

import logging

import torch
from torch import Tensor

from equipoise.errors import EquipoiseError
from equipoise.training.state import State

log = logging.getLogger(__name__)

# From a start, or from the resumption of a run that had given up; `State.recoveries`
# counts all, and each halves the steps.
ATTEMPTS = 3


class DivergedError(EquipoiseError):
    """Training ran away, and did so again after every roll-back; what was good last is
    kept, and can be sampled from."""


class Guard:
    """Holds the last weights that were good, and the ones before: readings are of what
    came before a step moved the weights, so that the last ones may hold the trouble
    already."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.good: dict[str, Tensor] = {}
        self.before: dict[str, Tensor] = {}
        self._again = False  # whether nothing was good since training went back
        if self.exhausted:  # whoever resumes a run that gave up wants it tried again
            state.attempts = 0
        self.keep()

    @property
    def finite(self) -> bool:
        """Whether all weights and moments are numbers.

        A step can spoil them after its losses were read.
        """
        sums: dict[torch.device, list[Tensor]] = {}  # an optimiser may count its steps on the CPU
        for tensor in self.state.weights().values():
            if tensor.is_floating_point():
                sums.setdefault(tensor.device, []).append(tensor.detach().double().sum())
        return all(bool(torch.stack(of_device).isfinite().all()) for of_device in sums.values())

    def keep(self) -> None:
        """The weights are good now. The older copy is written over."""
        self.good, self.before, self._again = self.before, self.good, False
        for name, tensor in self.state.weights().items():
            if name in self.good:
                self.good[name].copy_(tensor)
            else:
                self.good[name] = tensor.detach().clone()

    def go_back(self) -> None:
        """Put the last good weights back; those before, if the last ones went wrong at
        once."""
        good = self.before if self._again and self.before else self.good
        self._again = True
        self.state.restore_weights({name: tensor.clone() for name, tensor in good.items()})
        log.debug("back to the last good weights, %s samples seen", self.state.samples_seen)
        self.state.recoveries += 1
        self.state.attempts += 1

    @property
    def exhausted(self) -> bool:
        """Whether going back has been tried often enough."""
        return self.state.attempts > ATTEMPTS

"""BEGAN's autoencoder as a discriminator, and the control of its equilibrium.

Berthelot, Schumm, Metz: "BEGAN: Boundary Equilibrium Generative Adversarial Networks",
2017, sections 3.1 to 3.4.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from equipoise.networks.conditioning import MixedPrecision, forward_mixed
from equipoise.networks.controller import Controller
from equipoise.utils.one_hot import one_hot


class AutoencoderDiscriminator(MixedPrecision):
    """Samples (N, *shape) to energies (N,): the error of their reconstruction,

        L(x) = mean |x - decoder(encoder(x))|

    over the values of a sample (section 3.1, eta = 1). There is no auxiliary head: its
    outputs are (N, 0).

    Args:
        encoder: Maps samples to codes, (N, K).
        decoder: Maps (N, K + classes), codes with one-hot classes, to samples.
        classes: Number of classes; 0 for an unconditional discriminator.
    """

    def __init__(self, encoder: nn.Module, decoder: nn.Module, classes: int = 0) -> None:
        super().__init__()
        self.encoder: nn.Module = encoder
        self.decoder: nn.Module = decoder
        self.classes: int = classes

    def forward(self, x: Tensor, y: Tensor | None = None) -> tuple[Tensor, Tensor]:
        energies = (x - self.reconstruct(x, y)).abs().flatten(1).mean(1)
        return energies, energies.new_empty(len(x), 0)

    def reconstruct(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        """The autoencoder's reconstructions of samples, (N, *shape)."""
        mixed = self.mixed and self.training
        code = forward_mixed(self.encoder, x, mixed)
        if self.classes:
            assert y is not None, "a conditional discriminator needs classes"
            code = torch.cat([code, one_hot(code, y, self.classes)], 1)
        return forward_mixed(self.decoder, code, mixed)


class EquilibriumControl(Controller):
    """The weight k_t of generated samples in D's loss, on [0, 1], initially 0.

        k_{t+1} = k_t + lambda_k (gamma L(x) - L(G(z)))
        M_global = L(x) + |gamma L(x) - L(G(z))|

    (sections 3.3 and 3.4). At equilibrium mean L(G(z)) = gamma mean L(x). If G's energy
    is lower, k_t rises, and D weights generated samples more.

    Args:
        gamma: The ratio of energies at equilibrium.
        lambda_k: The step size of k_t.
    """

    k: Tensor

    def __init__(self, gamma: float, lambda_k: float) -> None:
        super().__init__()
        self.gamma: float = gamma
        self.lambda_k: float = lambda_k
        self.register_buffer("k", torch.tensor(0.0))

    @torch.no_grad()
    def update(self, readings: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Update k from L(x) of D's last step and L(G(z)), which is G's loss."""
        real = readings["real_logits"].mean()
        surplus = self.gamma * real - readings["generator_loss"]
        self.k.add_(self.lambda_k * surplus).clamp_(0, 1)
        return {"k": self.k.clone(), "convergence_measure": real + surplus.abs()}

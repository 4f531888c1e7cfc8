"""What a method is: all that a training step needs to know of a recipe that was built
for one data set."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

    from equipoise.networks.augmentation import Augmentation
    from equipoise.networks.latents import Prior

Logits = Literal["probability", "relativistic", "score", "critic"]


@dataclass(frozen=True)
class Rates:
    """What a schedule sets at one moment of a training."""

    learning_rate: float
    """Of G; D's is this times the recipe's `discriminator_rate`."""
    beta2: float
    """Adam's second beta, or RMSProp's smoothing constant."""
    penalty: float
    """Weight of the penalties' sum."""
    ema_half_life: float
    """Half-life of the generator's average, in samples seen."""
    augment: float = 1.0
    """Probability of each augmentation, where it is not adapted."""


@dataclass(frozen=True)
class CriticBatch:
    """What D has just seen, real samples first and then as many generated ones, and
    said, for penalties."""

    x: Tensor
    """(2 N, *shape); it requires gradients where the method's `penalty_at` is
    "samples"."""
    logits: Tensor
    """(2 N,)."""
    ask: Callable[[Tensor], Tensor]
    """D's logits, (N,), on N further samples of the same classes as the real ones."""
    randomness: torch.Generator
    """For penalties that draw."""

    @property
    def real(self) -> Tensor:
        """(N, *shape)."""
        return self.x[: len(self.x) // 2]

    @property
    def fake(self) -> Tensor:
        """(N, *shape)."""
        return self.x[len(self.x) // 2 :]


@dataclass(frozen=True)
class AuxOutputs:
    """What D's auxiliary head said, for the terms that both networks share."""

    real: Tensor | None
    """(N, K), on real samples; None in G's step."""
    fake: Tensor
    """(N, K), on generated samples."""
    y: Tensor | None
    """(N,), the classes of both, if there are any."""
    z: Tensor
    """(N, Z), the latents that the generated samples were made of."""


class Networks(NamedTuple):
    """The two networks and the distribution of the latents, as `Method` has them."""

    generator: nn.Module
    discriminator: nn.Module
    prior: Prior


class Losses(NamedTuple):
    """The loss pair, as `Method` has it."""

    discriminator: Callable[[Tensor, Tensor], Tensor]
    generator: Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class Method:
    """A recipe built for one data set: the networks, their losses and what surrounds
    them. `step.py` reads it and nothing else."""

    generator: nn.Module
    """Latents (N, Z), and classes (N,) or None, to scaled samples (N, *shape)."""
    discriminator: nn.Module
    """Scaled samples (N, *shape), and classes or None, to logits, one a sample or one a
    batch, and the auxiliary head's answers (N, K), of which there are none without such
    a head."""
    prior: Prior
    discriminator_loss: Callable[[Tensor, Tensor], Tensor]
    """Of the logits on real and on generated samples."""
    generator_loss: Callable[[Tensor, Tensor], Tensor]
    """Of the logits on real and on generated samples; those on real ones matter only to
    relativistic losses."""
    schedule: Callable[[float, int], Rates]
    """Of the share of the training done, 0 to 1, and of the samples seen."""
    penalty: Callable[[CriticBatch], dict[str, Tensor]] | None = None
    """Named terms, (), whose sum times the scheduled weight joins D's loss in the same
    optimiser step."""
    penalty_at: Literal["samples", "elsewhere"] = "samples"
    """Where the penalty differentiates D: at the samples that it has just judged, or at
    points of its own."""
    auxiliary: Callable[[AuxOutputs], tuple[Tensor, dict[str, Tensor]]] | None = None
    """A term, (), that joins both networks' losses, and what the log shall hold of it."""
    constraint: Callable[[nn.Module], None] | None = None
    """What is done to D's weights after each of its steps, such as clipping."""
    augmentation: Augmentation | None = None
    """Random changes of everything that D sees, real and generated."""
    logits: Logits = "probability"
    """What D's logits mean: sigma(D(x)) is the probability that x is real; only
    differences D(x) - D(x') mean anything (relativistic); a number that is higher for
    real samples (score); the same, and mean D(x) - mean D(x') estimates the Wasserstein
    distance up to an unknown factor (critic)."""
    pairs: bool = False
    """Whether G's loss compares fakes with real samples' logits."""
    together: bool = True
    """Whether real and generated samples pass D as one batch: faster, but not for a D
    that looks across its batch, as with BatchNorm."""
    discriminator_steps: int = 1
    """Steps of D for every step of G."""

    def __post_init__(self) -> None:
        if self.penalty is not None and not self.together:
            raise ValueError(
                "a penalty is taken at samples one by one, which a D that looks across its "
                "batch does not have"
            )

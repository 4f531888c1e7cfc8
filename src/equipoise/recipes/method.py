"""A method: a recipe built for one data set. It has everything that a training step
needs.

Shapes: N samples in a batch, *shape of one sample as networks see it, Z numbers in a
latent, K outputs of an auxiliary head.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple

from equipoise.recipes.output import DiscriminatorOutput, Probability

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

    from equipoise.networks.augmentation import Augmentation
    from equipoise.networks.controller import Controller
    from equipoise.networks.latents import Prior
    from equipoise.networks.packing import Packing


def _no_packing() -> Packing:
    from equipoise.networks.packing import Packing  # which imports torch

    return Packing()


@dataclass(frozen=True)
class Rates:
    """The scheduled values of one training step."""

    learning_rate: float
    """Of G; D's is this times the recipe's `discriminator_rate`."""
    beta2: float
    """Adam's second beta, or RMSProp's smoothing constant."""
    penalty: float
    """Weight of the sum of D's penalties."""
    ema_half_life: float
    """Half-life of the EMA of G's weights, in samples seen."""
    augment: float = 1.0
    """Probability of each augmentation; ignored where it is adapted."""
    generator_penalty: float = 1.0
    """Weight of G's penalty."""


def _alone(rows: Tensor) -> Tensor:
    """The rows of a single process."""
    return rows


@dataclass(frozen=True)
class CriticBatch:
    """A batch with D's outputs, for penalties: N real samples, then N generated ones.
    With packing each is a pack of samples, which D sees as one."""

    x: Tensor
    """(2 N, *shape). It requires gradients where the method's `penalty_at` is
    "samples"."""
    logits: Tensor
    """D's outputs, (2 N,)."""
    discriminate: Callable[[Tensor], Tensor]
    """D's outputs, (N,), at other points, (N, *shape), with the real samples'
    classes."""
    randomness: torch.Generator
    """The random generator for penalties."""
    gather: Callable[[Tensor], Tensor] = _alone
    """The rows of all processes that share the batch, (M, ...), from those of this one;
    for what depends on the whole batch."""

    @property
    def real(self) -> Tensor:
        """(N, *shape)."""
        return self.x[: len(self.x) // 2]

    @property
    def fake(self) -> Tensor:
        """(N, *shape)."""
        return self.x[len(self.x) // 2 :]


@dataclass(frozen=True)
class GeneratorBatch:
    """A batch for G's penalty."""

    z: Tensor
    """Latents, (N, Z)."""
    y: Tensor | None
    """Their classes, (N,); None without classes."""
    randomness: torch.Generator
    """The random generator for penalties."""
    x: Tensor
    """The samples that G makes of them, (N, *shape), with the graph back to G's
    weights."""
    gather: Callable[[Tensor], Tensor] = _alone
    """As `CriticBatch.gather`."""


@dataclass(frozen=True)
class AuxOutputs:
    """Outputs of D's auxiliary head, for a term of one or both networks' losses."""

    real: Tensor | None
    """(N, K), on real samples; None in G's step."""
    fake: Tensor
    """(N, K), on generated samples."""
    y: Tensor | None
    """The classes of both, (N,); None without classes."""
    z: Tensor
    """The latents of the generated samples, (N, Z)."""
    randomness: torch.Generator
    """The random generator for penalties."""
    view: Tensor | None = None
    """(N, K), on the method's views of the real samples; None in G's step, and without
    views."""
    gather: Callable[[Tensor], Tensor] = _alone
    """As `CriticBatch.gather`."""


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
    """The networks, their losses and all other parts of a method.

    `training/step.py` uses nothing else of a recipe.

    Raises:
        ValueError: There is a penalty, and D does not take real and generated samples
            in one batch (`together`).
    """

    generator: nn.Module
    """G(z, y): latents (N, Z) and classes (N,), or None, to samples (N, *shape)."""
    discriminator: nn.Module
    """D(x, y): samples (N, *shape) and classes, or None, to outputs and those of the
    auxiliary head, (N, K), K = 0 without one. The outputs are (N,), or one for the
    batch, or (N L,): L for each sample, those of a sample one after another. With
    packing x and y are packs."""
    prior: Prior
    """The distribution of z."""
    discriminator_loss: Callable[[Tensor, Tensor], Tensor]
    """L_D, (), of D's outputs on real and on generated samples, (N,) each."""
    generator_loss: Callable[[Tensor, Tensor], Tensor]
    """L_G, (), of the same. Outputs on real samples are valid only if `pairs` is
    set."""
    schedule: Callable[[float, int], Rates]
    """The rates at a progress of the training, 0 to 1, and samples seen."""
    penalty: Callable[[CriticBatch], dict[str, Tensor]] | None = None
    """Named terms, () each. Their sum times the scheduled weight joins L_D."""
    penalty_at: Literal["samples", "elsewhere"] = "samples"
    """Where the penalty differentiates D: at the samples of the batch, or at other
    points."""
    penalty_interval: int = 1
    """Steps from one with D's penalty to the next. Its weight is multiplied by this
    (lazy regularisation: Karras et al. 2020, section 3.1)."""
    generator_penalty: Callable[[GeneratorBatch], tuple[Tensor, dict[str, Tensor]]] | None = None
    """A term, (), and readings, (), for the log. The term times the scheduled weight
    joins L_G."""
    generator_penalty_interval: int = 1
    """As `penalty_interval`, for G's penalty."""
    auxiliary: Callable[[AuxOutputs], tuple[Tensor, dict[str, Tensor]]] | None = None
    """A term, (), that joins both losses, and readings, (), for the log. A term of D's
    alone is 0 in G's step, where `AuxOutputs.real` is None."""
    auxiliary_draws: bool = False
    """Whether that term draws at random. Such a step is not compiled."""
    view: Callable[[Tensor, torch.Generator], Tensor] | None = None
    """Another view of real samples, (N, *shape) to (N, *shape). The auxiliary head sees
    it in D's step. The loss of the output does not."""
    constraint: Callable[[nn.Module], None] | None = None
    """A function applied to D after each of its optimiser steps, such as clipping."""
    augmentation: Augmentation | None = None
    """The augmentation of all samples that D sees."""
    packing: Packing = field(default_factory=_no_packing)
    """How samples are joined for D."""
    output: DiscriminatorOutput = field(default_factory=Probability)
    """The meaning of D's output."""
    controller: Controller | None = None
    """State of the method that is adapted after steps. Losses may read it."""
    pairs: bool = False
    """Whether L_G compares generated samples with real ones."""
    together: bool = True
    """Whether D takes real and generated samples as one batch. This is faster, but
    wrong for a D whose outputs depend on the whole batch, as with BatchNorm."""
    discriminator_steps: int = 1
    """Steps of D for every step of G."""
    reuses_samples: bool = False
    """Whether G's step is on the samples that D's last step was on, and compares them
    with D's outputs of then on real ones, as is the habit of DCGAN's implementations:
    one pass of G less. Such a step is not compiled."""

    def __post_init__(self) -> None:
        if self.penalty is not None and not self.together:
            raise ValueError(
                "a method with a penalty needs together=True: the gradient of one sample's "
                "output must not depend on other samples"
            )

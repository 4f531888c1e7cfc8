"""The meaning of the discriminator's output: how it is logged, drawn and interpreted.
No other module depends on the method.

    Probability   sigma(D(x)) is the probability that x is real
    Relativistic  only differences D(x) - D(x') mean anything
    Score         higher for real samples, on no scale of its own
    Critic        a score whose mean difference estimates the Wasserstein distance
    Energy        lower for real samples, such as a reconstruction error

At the optimum of the original game D(x) = p(x) / (p(x) + p_g(x)) (Goodfellow et al.
2014, proposition 1); that of a relativistic loss is log p(x) / p_g(x) up to a constant.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

    Array = NDArray[np.float64]

# Densities below this fraction of the highest count as this fraction in a logarithm.
MIN_DENSITY = 1e-4


@dataclass(frozen=True)
class DiscriminatorOutput:
    """Base class: an output that is higher for real samples, without a known scale."""

    name: ClassVar[str]
    label: ClassVar[str] = "D(x), up to a constant"
    """Label of an axis that shows `display`."""
    difference: ClassVar[str] = "mean D(x) - mean D(x')"
    """Label of an axis that shows the gap between real and generated samples: `sign`
    times the difference between real_output and fake_output."""
    sign: ClassVar[int] = 1
    """1 where real samples have the higher outputs, -1 where the lower ones."""
    balance_label: ClassVar[str] = ""
    """Label of an axis that shows the log's balance; empty without a balance."""
    balance_caption: ClassVar[str] = ""
    """A description of the balance in plain words."""
    up_to_constant: ClassVar[bool] = True
    """Whether D plus a constant is as good a D."""

    def readings(self, real: Tensor, fake: Tensor) -> dict[str, Tensor]:
        """The log's readings of D's outputs on real and generated samples, (N,) each.

        Returns:
            The means `real_output` and `fake_output`, (). If D's output shows the
            equilibrium, also `balance`, (), which is 1/2 there.
        """
        return {"real_output": real.mean(), "fake_output": fake.mean()}

    def realness(self, real: Tensor, fake: Tensor) -> Tensor:
        """A value above 0 for each real sample that D classifies as real, (N,).

        An output without a threshold has one here: the middle between its means on real
        and generated samples.
        """
        return real - (real.mean() + fake.mean()) / 2

    def display(self, output: Array) -> Array:
        """D's outputs at the points of a chart, (N,), as the chart displays them."""
        shown: Array = output - output.mean()
        return shown

    def limits(self, highest: float) -> tuple[float, float]:
        """The ends of a chart's colour scale.

        Args:
            highest: The largest absolute value of the displayed outputs.
        """
        return -highest, highest

    def optimum(self, p: Array, p_g: Array) -> Array | None:
        """The optimal D on the scale of `display`, for the densities p of real and p_g
        of generated samples, (N,). None if the theory gives none."""
        return None


@dataclass(frozen=True)
class Probability(DiscriminatorOutput):
    """sigma(D(x)) is the probability that x is real: cross-entropy losses."""

    name = "probability"
    label = "D(x), probability of being real"
    balance_label = "mean probability of the right answer"
    balance_caption = "How sure D is of the right answer, real or generated."
    up_to_constant = False

    def readings(self, real: Tensor, fake: Tensor) -> dict[str, Tensor]:
        """The means of sigma(D(x)) and sigma(D(x')), and as the balance the mean
        probability of the right answer, (sigma(D(x)) + 1 - sigma(D(x'))) / 2."""
        return {
            "real_output": real.sigmoid().mean(),
            "fake_output": fake.sigmoid().mean(),
            "balance": (real.sigmoid().mean() + (1 - fake.sigmoid()).mean()) / 2,
        }

    def realness(self, real: Tensor, fake: Tensor) -> Tensor:
        return real

    def display(self, output: Array) -> Array:
        import numpy as np

        shown: Array = 1 / (1 + np.exp(-output))
        return shown

    def limits(self, highest: float) -> tuple[float, float]:
        return 0.0, 1.0

    def optimum(self, p: Array, p_g: Array) -> Array | None:
        return p / (p + p_g)


@dataclass(frozen=True)
class Relativistic(DiscriminatorOutput):
    """Only differences D(x) - D(x') mean anything: relativistic pairing losses."""

    name = "relativistic"
    balance_label = "mean of sigma(D(x) - D(x'))"
    balance_caption = "How sure D is that a real sample is more real than a generated one."

    def readings(self, real: Tensor, fake: Tensor) -> dict[str, Tensor]:
        """The mean logits about their common mean, since D has no zero, and as the
        balance the mean of sigma(D(x) - D(x')) over pairs."""
        middle = (real.mean() + fake.mean()) / 2
        return {
            "real_output": real.mean() - middle,
            "fake_output": fake.mean() - middle,
            "balance": (real - fake).sigmoid().mean(),
        }

    def optimum(self, p: Array, p_g: Array) -> Array | None:
        import numpy as np

        tiny = MIN_DENSITY * p.max()
        best: Array = np.log(np.maximum(p, tiny) / np.maximum(p_g, tiny))
        return best


@dataclass(frozen=True)
class Score(DiscriminatorOutput):
    """Higher for real samples, on no scale of its own: hinge and least-squares losses.

    Args:
        threshold: The output above which D classifies a sample as real.
    """

    name = "score"
    threshold: float = 0.0

    def realness(self, real: Tensor, fake: Tensor) -> Tensor:
        return real - self.threshold


@dataclass(frozen=True)
class Critic(DiscriminatorOutput):
    """Mean D(x) - mean D(x') estimates the Wasserstein distance of scaled samples, up
    to an unknown factor."""

    name = "critic"

    def readings(self, real: Tensor, fake: Tensor) -> dict[str, Tensor]:
        """The means, and their difference as `w1_times_unknown_factor`."""
        means = super().readings(real, fake)
        return means | {"w1_times_unknown_factor": means["real_output"] - means["fake_output"]}


@dataclass(frozen=True)
class Energy(DiscriminatorOutput):
    """At least 0, and lower for real samples: the reconstruction error of a
    discriminator that is an autoencoder."""

    name = "energy"
    label = "D(x), reconstruction error: lower for real samples"
    difference = "mean D(x') - mean D(x)"
    sign = -1
    up_to_constant = False

    def realness(self, real: Tensor, fake: Tensor) -> Tensor:
        return (real.mean() + fake.mean()) / 2 - real

    def display(self, output: Array) -> Array:
        return output

    def limits(self, highest: float) -> tuple[float, float]:
        return 0.0, highest

"""What the discriminator's output means: one object that knows how it is logged, drawn
and read, so that no other module asks which method it is.

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
    """Base class: an output that is higher for real samples, and no more is known."""

    name: ClassVar[str]
    label: ClassVar[str] = "D(x), up to a constant"
    """Of an axis that shows `display`."""
    difference: ClassVar[str] = "mean D(x) - mean D(x')"
    """Of an axis that shows how far apart D keeps real and generated samples: `sign`
    times the difference between real_output and fake_output."""
    sign: ClassVar[int] = 1
    """1 where real samples have the higher outputs, -1 where the lower ones."""
    balance_label: ClassVar[str] = ""
    """Of an axis that shows the log's balance; empty where there is no balance."""
    balance_caption: ClassVar[str] = ""
    """What the balance says, in plain words."""
    up_to_constant: ClassVar[bool] = True
    """Whether D plus a constant is as good a D."""

    def readings(self, real: Tensor, fake: Tensor) -> dict[str, Tensor]:
        """What the log holds of D's outputs on real and generated samples, (N,) each.

        Returns:
            `real_output` and `fake_output`, (), the means; where the networks'
            equilibrium shows, `balance`, (), which goes to 1/2.
        """
        return {"real_output": real.mean(), "fake_output": fake.mean()}

    def realness(self, real: Tensor, fake: Tensor) -> Tensor:
        """Above 0 where D takes a real sample for real, (N,).

        Without a threshold of D's own that is the middle between D's means on real and
        on generated samples.
        """
        return real - (real.mean() + fake.mean()) / 2

    def display(self, output: Array) -> Array:
        """D's outputs at the points of a chart, (N,), as the chart shows them."""
        shown: Array = output - output.mean()
        return shown

    def limits(self, highest: float) -> tuple[float, float]:
        """The ends of a chart's colour scale.

        Args:
            highest: The largest absolute value of the displayed outputs.
        """
        return -highest, highest

    def optimum(self, p: Array, p_g: Array) -> Array | None:
        """The optimal D, as `display` shows it, where the densities of real and of
        generated samples are p and p_g, (N,); None where the theory gives none."""
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
    balance_caption = "How surely D ranks a real sample above a generated one."

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
        threshold: Above it D takes a sample for real.
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

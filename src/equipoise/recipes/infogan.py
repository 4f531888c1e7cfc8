"""infogan: part of the latent is a code that can be recovered from the sample, so that
it gets a meaning without labels.

Chen, Duan, Houthooft, Schulman, Sutskever, Abbeel: "InfoGAN: Interpretable
Representation Learning by Information Maximizing Generative Adversarial Nets", NeurIPS
2016, eqs. 5 and 6.

    min_{G, Q} max_D  V(D, G) - lambda L_I(G, Q)
    L_I = E log Q(c | G(z, c)) + H(c)  <=  I(c; G(z, c))

Q is a head on D's trunk: a softmax for each categorical code, and mean and standard
deviation of a normal distribution for each continuous one. As in the authors' code, the
bound enters both networks' losses. Lambda is 1 for categorical codes, as in the paper,
and .1 for continuous ones: the paper recommends a smaller value for these, since
differential entropy has another scale than the game (section 6), and gives no number.

Nothing in this says that a value of a code is a digit and not a slant. On grey images
Q's categorical codes are therefore also to be the same for a real image and for a view
of it, rotated, scaled, shifted and sheared a little (`invariance_weight`), after

Ji, Henriques, Vedaldi: "Invariant Information Clustering for Unsupervised Image
Classification and Segmentation", ICCV 2019, eqs. 2 and 3;
Ojha, Singh, Hsieh, Lee: "Elastic-InfoGAN: Unsupervised Disentangled Representation
Learning in Class-Imbalanced Data", NeurIPS 2020: views of real images in InfoGAN.

`preset="paper"` is appendix C.1's for MNIST, as in the authors' `run_mnist_exp.py` and
`regularized_gan.py`: batches of 128, Adam with learning rates 1e-3 for G and 2e-4 for
D, beta1 .5, 62 uniform latents, a code of ten values and two uniform ones, lambda 1 for
all, Q's standard deviations 1. The networks have a dense layer of 1,024 units and
convolutions of 64 and 128 channels with 4 x 4 kernels, and Q a layer of 128 units with
BatchNorm. LeakyReLU has the paper's slope, .1, where the code has .01. What differs:
there data is on [0, 1] and G ends in a sigmoid, here in a tanh on [-1, 1].
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from equipoise.coerce import Ge, Le
from equipoise.errors import RequestError
from equipoise.recipes.base import register
from equipoise.recipes.dcgan_family import PLAIN, CrossEntropy, is_grey
from equipoise.recipes.method import AuxOutputs, Method

if TYPE_CHECKING:
    from torch import Tensor, nn

    from equipoise.networks.latents import Prior
    from equipoise.transforms.space import NetworkSpace

# The paper's slope of LeakyReLU.
PUBLISHED_SLOPE = 0.1
# Maximum number of digits of a categorical code's size.
MAX_DIGITS = 5
# Minimum log standard deviation of Q's normal distributions. Below it the bound would
# only reward sharper codes.
MIN_LOG_STD = -4.0
# Maximum number of a code's values for which views are compared.
MAX_VIEWED = 256
# Defaults of `invariance_weight` for grey images, and of `q_categorical_weight`
# (benchmarks/EXPERIMENTS.md, "InfoGAN's codes and views").
INVARIANCE, Q_CATEGORICAL_WEIGHT = 0.5, 0.3


@register
@dataclass(frozen=True, kw_only=True)
class InfoGAN(CrossEntropy):
    """Finds classes and directions without labels: sample(n, code={"c0": 3})."""

    name = "infogan"
    summary = "finds classes and directions of variation without labels, as codes to set"
    paper = (
        "Chen et al. 2016, InfoGAN: Interpretable Representation Learning by Information "
        "Maximizing GANs"
    )
    norm = "batch"
    takes_labels = False
    one_at_a_time = "recovers the code of each sample"
    published_for = "grey images"

    discriminator_rate: float = 1.0
    """D's learning rate divided by G's (images in colour: 0.2, as in the paper)."""
    latent_dim: int = 4
    """Latent dimension without the codes (images: 62)."""
    categorical_codes: int | str = 10
    """Sizes of the categorical codes, with commas between. 10: one code, c0, with
    values 0 to 9. 10,2: c0 and c1. none: no categorical code."""
    continuous_codes: Annotated[int, Ge(0), Le(2**16)] = 2
    """Number of continuous codes u0, u1, ..., uniform on [-1, 1] (points: 0)."""
    categorical_weight: Annotated[float, Ge(0)] = 1.0
    """Weight of the categorical codes' mutual information in both losses."""
    continuous_weight: Annotated[float, Ge(0)] = 0.1
    """Weight of the continuous codes' mutual information in both losses."""
    invariance_weight: Annotated[float, Ge(0)] = 0.0
    """Weight in D's loss of the mutual information of the categorical codes that Q
    reads in a real image and in a view of it: rotated, scaled, shifted and sheared a
    little. 0: no views, as in the paper (images, grey: 0.5)."""
    q_categorical_weight: Annotated[float, Ge(0)] = Q_CATEGORICAL_WEIGHT
    """With views, the factor on `categorical_weight` in D's loss, which trains Q. Below
    1 it is more the views that form Q's classes, and G that follows."""
    learned_std: bool = True
    """Whether Q learns the standard deviations of the continuous codes, or has 1 for
    all (paper: False)."""

    def conflicts(self) -> list[str]:
        wrong = super().conflicts()
        if not all(
            size.isdecimal() and len(size) <= MAX_DIGITS and int(size) > 1 for size in self._sizes
        ):
            wrong.append(
                f"categorical_codes = {self.categorical_codes!r}: must be whole numbers from "
                f"2 to {10**MAX_DIGITS - 1} with commas between, or none"
            )
        if not self._sizes and not self.continuous_codes:
            wrong.append(
                "categorical_codes = 'none' and continuous_codes = 0: give at least one code"
            )
        return wrong

    @property
    def _sizes(self) -> list[str]:
        return (
            []
            if self.categorical_codes in ("", "none")
            else [size.strip() for size in str(self.categorical_codes).split(",")]
        )

    @classmethod
    def defaults(cls, space: NetworkSpace) -> dict[str, Any]:
        if space.is_image:
            # In colour D is a fifth as fast as G, as in the paper.
            chosen: dict[str, Any] = {"discriminator_rate": 0.2}
            if is_grey(space):
                chosen = {"invariance_weight": INVARIANCE}
            return {**super().defaults(space), "latent_dim": 62, **chosen}
        return {**super().defaults(space), "continuous_codes": 0}

    @classmethod
    def published(cls, space: NetworkSpace) -> dict[str, Any] | None:
        if not space.is_image or space.shape[0] != 1:
            return None
        return PLAIN | {
            "batch_size": 128,
            "learning_rate": 1e-3,
            "discriminator_rate": 0.2,
            "latent": "uniform",
            "latent_dim": 62,
            "width": 64,
            "kernel_size": 4,
            "dense_units": 1024,
            "real_label": 1.0,
            "categorical_codes": 10,
            "continuous_codes": 2,
            "categorical_weight": 1.0,
            "continuous_weight": 1.0,
            "invariance_weight": 0.0,
            "learned_std": False,
        }

    def check(self, space: NetworkSpace) -> None:
        super().check(space)
        if self.invariance_weight and not space.is_image:
            raise RequestError(
                f"invariance_weight = {self.invariance_weight}: views are of images, leave it out"
            )
        if self.q_categorical_weight != Q_CATEGORICAL_WEIGHT and not self._has_views:
            raise RequestError(
                f"q_categorical_weight = {self.q_categorical_weight}: is for views, and there "
                "are none: set invariance_weight, or leave it out"
            )

    @property
    def _has_views(self) -> bool:
        """Whether Q's classes of real images are those of their views."""
        return self.invariance_weight > 0 and any(int(size) <= MAX_VIEWED for size in self._sizes)

    def build(self, space: NetworkSpace) -> Method:
        from equipoise.networks.views import random_affine

        sizes = tuple(int(size) for size in self._sizes)
        outputs = sum(sizes) + 2 * self.continuous_codes
        networks = self.networks(space, auxiliary=outputs, codes=(sizes, self.continuous_codes))
        if space.is_image and self.preset == "paper":
            make_published(networks.discriminator, 2 * self.width, outputs)

        def information(aux: AuxOutputs) -> tuple[Tensor, dict[str, Tensor]]:
            term, readings = mutual_information_term(
                networks.prior,
                aux,
                self.categorical_weight,
                self.continuous_weight,
                self.learned_std,
                1.0 if aux.view is None else self.q_categorical_weight,
            )
            if aux.view is not None and aux.real is not None:
                shared = view_information(aux.gather(aux.real), aux.gather(aux.view), sizes)
                term = term - self.invariance_weight * shared
                readings["view_information"] = shared
            return term, readings

        view = random_affine if self._has_views else None
        return self.method(networks, self.losses(), auxiliary=information, view=view)


def make_published(discriminator: nn.Module, units: int, outputs: int) -> None:
    """Give D the authors' Q, a layer of so many units with BatchNorm and then another,
    and all of it the paper's LeakyReLU."""
    from torch import nn

    from equipoise.networks.conditioning import Discriminator
    from equipoise.networks.dcgan import dense, init_weights

    assert isinstance(discriminator, Discriminator), "infogan's D has a head"
    layers = dense(discriminator.head.in_features, units, "leaky_relu")
    head = nn.Sequential(*layers, nn.Linear(units, outputs))
    discriminator.auxiliary = head.apply(init_weights)
    for layer in discriminator.modules():
        if isinstance(layer, nn.LeakyReLU):
            layer.negative_slope = PUBLISHED_SLOPE


def mutual_information_term(
    prior: Prior,
    aux: AuxOutputs,
    categorical_weight: float,
    continuous_weight: float,
    learned_std: bool = True,
    viewed_factor: float = 1.0,
) -> tuple[Tensor, dict[str, Tensor]]:
    """The loss term -sum of weight * L_I over the codes, (), and for the log the sum of
    L_I in nats, ().

    Args:
        prior: The codes.
        aux: `fake`, (N, K), holds Q's logits for every categorical code and then, for
            the continuous ones, all means and all log standard deviations.
        categorical_weight: Lambda of the categorical codes.
        continuous_weight: Lambda of the continuous codes.
        learned_std: Whether standard deviations are Q's, or 1.
        viewed_factor: On the categorical codes' lambda, where views form Q's classes.
    """
    from torch.nn.functional import cross_entropy

    q, codes = aux.fake, prior.dim
    bound, term = q.new_zeros(()), q.new_zeros(())
    for name, at in prior.codes.items():
        here = slice(at.start - codes, at.stop - codes)
        if name.startswith("c"):
            information = math.log(at.stop - at.start) - cross_entropy(q[:, here], aux.z[:, at])
            viewed = at.stop - at.start <= MAX_VIEWED
            weight = categorical_weight * (viewed_factor if viewed else 1.0)
        else:
            log_std = q[:, here.start + prior.continuous_codes, None].clamp(min=MIN_LOG_STD)
            log_std = log_std if learned_std else q.new_zeros(())
            # As torch's gaussian_nll_loss, which waits for the device.
            deviations = (aux.z[:, at] - q[:, here]) * (-log_std).exp()
            surprise = log_std + deviations.square() / 2 + math.log(2 * math.pi) / 2
            # The entropy of the uniform distribution on [-1, 1] is log 2.
            information = math.log(2) - surprise.mean()
            weight = continuous_weight
        bound, term = bound + information, term - weight * information
    return term, {"mutual_information_bound": bound}


def view_information(q: Tensor, q_view: Tensor, sizes: tuple[int, ...]) -> Tensor:
    """The mutual information in nats, (), of what Q reads as categorical codes of real
    samples and of their views; the sum over the codes.

    For a code of K values it is log K at most: where all are equally frequent, and
    each sample has the same in both. A code of more than `MAX_VIEWED` values is left
    out: a batch says nothing of so many.

    IIC: Ji, Henriques, Vedaldi 2019, eqs. 2 and 3.

    Args:
        q: Q's logits of real samples, (N, sum of sizes or more).
        q_view: Those of their views.
        sizes: K of each code.
    """
    import torch

    total, start = q.new_zeros(()), 0
    for size in sizes:
        here = slice(start, start + size)
        if size <= MAX_VIEWED:
            joint = q[:, here].softmax(1).T @ q_view[:, here].softmax(1) / len(q)
            joint = (joint + joint.T) / 2  # the sample is a view of its view, too
            total = total + 2 * torch.special.entr(joint.sum(0)).sum()
            total = total - torch.special.entr(joint).sum()
        start += size
    return total

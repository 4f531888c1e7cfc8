"""Principal directions: along which latents change samples most.

In the latents z of any generator they are the eigenvectors of the mean metric that G
pulls back from samples,

    M = E_z [J(z)^T J(z)],    J = dG/dz

(Wang & Ponce, "A Geometric Analysis of Deep Generative Image Models and Its
Applications", ICLR 2021; M is that of squared distances between samples as networks
see them). The mean squared change of samples along a unit vector v is v^T M v, so the
share of the i-th is lambda_i / trace M. For a linear generator G(z) = A z + b, M is
A^T A and the directions are the right singular vectors of A: PCA of the samples. SeFa
(Shen & Zhou, CVPR 2021) takes the eigenvectors of A^T A with A of the first layer
alone. Here all layers count, and none has to be named, whatever the architecture.

In the styles w of a mapping network they are the principal components of w
(GANSpace: Haerkoenen, Hertzmann, Lehtinen, Paris, NeurIPS 2020, section 3.1), within
classes:

    (w - mean(w)) = V x,    V the eigenvectors of cov(w)

Each direction has length 1, and the sign with which its largest entry is positive.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal, overload

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from equipoise.data.loading import Stream, seeded
from equipoise.errors import EquipoiseError, RequestError
from equipoise.networks.stylegan2 import StyleGenerator
from equipoise.sampling.draws import Codes
from equipoise.sampling.evaluation_mode import evaluating
from equipoise.sampling.latents import Latents, styles_in
from equipoise.sampling.sampler import Sampler
from equipoise.sampling.styles import style_generator, styles_of

STYLES = 10_000  # of which the components are
LATENTS, MIN_LATENTS = 2048, 256  # at which the metric is taken: fewer for large images
PIXELS = 1024  # of the largest images of which all are taken
EXACT = 32  # values of a sample up to which J is computed whole
PROBES = 4  # random vectors v with E[v v^T] = I: E[J^T v v^T J] is J^T J
UNIFORM_STD = 3**-0.5  # of a number that is uniform on [-1, 1]


@dataclass(frozen=True, eq=False)
class Direction:
    """One direction of the latents."""

    vector: NDArray[np.float32]
    """Of length 1: (Z,), with 0 for codes, or (W,)."""
    std: float
    """The standard deviation of latents along it."""
    explained: float
    """Its share of the variation: of samples in the space "z", of styles in "w"."""
    space: Literal["z", "w"]
    """Whether it is of latents or of styles."""


@dataclass(frozen=True, eq=False)
class Directions(Sequence[Direction]):
    """Principal directions, that with the largest share first."""

    vectors: NDArray[np.float32]
    """(K, Z) or (K, W)."""
    stds: NDArray[np.float64]
    """(K,)."""
    explained: NDArray[np.float64]
    """(K,)."""
    space: Literal["z", "w"]
    """Whether they are of latents or of styles."""

    def __len__(self) -> int:
        return len(self.vectors)

    @overload
    def __getitem__(self, at: int) -> Direction: ...

    @overload
    def __getitem__(self, at: slice) -> Directions: ...

    def __getitem__(self, at: int | slice) -> Direction | Directions:
        if isinstance(at, slice):
            parts = (self.vectors[at], self.stds[at], self.explained[at])
            return Directions(*parts, self.space)
        return Direction(
            self.vectors[at], float(self.stds[at]), float(self.explained[at]), self.space
        )

    def __iter__(self) -> Iterator[Direction]:
        return (self[at] for at in range(len(self)))


def principal_directions(
    sampler: Sampler,
    k: int,
    seed: int,
    label: int | None = None,
    codes: Codes | None = None,
) -> Directions:
    """The first k directions, or all where there are fewer.

    Args:
        sampler: The generator.
        k: At least 1.
        seed: Of the latents at which it is looked.
        label: The position of the class at whose samples it is looked; None for all.
        codes: Values of codes of these samples.

    Raises:
        EquipoiseError: The generator's samples do not depend on its latents, or are not
            numbers.
    """
    style = style_generator(sampler)
    if style is not None:
        z, y = sampler.latents(STYLES, seed, label, codes)
        matrix = _covariance(styles_of(style, z, y), y)
        free = torch.arange(matrix.shape[0])
    else:
        pixels = int(np.prod(sampler.schema.shape[1:]))
        n = max(min(LATENTS * PIXELS // max(pixels, 1), LATENTS), MIN_LATENTS)
        z, y = sampler.latents(n, seed, label, codes)
        free = free_columns(sampler)
        matrix = _metric(sampler, z, y, seed)[free][:, free]
    if not matrix.isfinite().all() or float(matrix.trace()) <= 0:
        raise EquipoiseError(
            "this generator has no directions: its samples do not depend on its latents, or are "
            "not numbers; train longer"
        )
    variances, vectors = (part.flip(-1) for part in torch.linalg.eigh(matrix))
    variances, found = variances.clamp(min=0)[:k], vectors.T[:k]
    found = found * found.gather(1, found.abs().argmax(1, keepdim=True)).sign()
    whole = torch.zeros(len(found), matrix.shape[0] if style is not None else z.shape[1])
    whole[:, free] = found.float()
    std = 1.0 if sampler.prior.kind == "normal" else UNIFORM_STD
    stds = variances.sqrt().numpy() if style is not None else np.full(len(found), std)
    explained = (variances / matrix.trace()).numpy()
    return Directions(whole.numpy(), stds, explained, "z" if style is None else "w")


def free_columns(sampler: Sampler) -> Tensor:
    """The columns of z that are no codes."""
    free = torch.ones(sampler.prior.width, dtype=torch.bool)
    for columns in sampler.prior.codes.values():
        free[columns] = False
    return free.nonzero().flatten()


def _covariance(w: Tensor, y: Tensor | None) -> Tensor:
    """The covariance of styles within classes, (W, W)."""
    w = w.double()
    groups = (
        torch.zeros(len(w), dtype=torch.int64)
        if y is None or y.dim() > 1
        else torch.unique(y.cpu(), return_inverse=True)[1]
    )
    sums = torch.zeros(int(groups.max()) + 1, w.shape[1], dtype=w.dtype).index_add_(0, groups, w)
    centred = w - (sums / groups.bincount()[:, None])[groups]
    return centred.T @ centred / len(w)


def _metric(sampler: Sampler, z: Tensor, y: Tensor | None, seed: int) -> Tensor:
    """M, (Z, Z)."""
    generator, device = sampler.generator, sampler.device
    randomness = seeded(seed, Stream.DIRECTIONS)
    total = torch.zeros(z.shape[1], z.shape[1], dtype=torch.float64)
    with evaluating(generator), torch.enable_grad():
        for part, classes in sampler.draws.split(z, y):
            latents = part.to(device).requires_grad_()
            x = generator(latents, None if classes is None else classes.to(device)).flatten(1)
            for v in _probes(x, randomness):
                (g,) = torch.autograd.grad((x * v).sum(), latents, retain_graph=True)
                total += (g.T @ g).double().cpu()
    return total / len(z)


def _probes(x: Tensor, randomness: torch.Generator) -> Iterator[Tensor]:
    """Vectors v for samples x, (N, D), whose sum of v v^T is I: all D unit vectors, or
    random ones of which that holds on average."""
    if x.shape[1] <= EXACT:
        yield from torch.eye(x.shape[1], dtype=x.dtype, device=x.device)
        return
    for _ in range(PROBES):
        signs = torch.randint(0, 2, x.shape, generator=randomness).to(x) * 2 - 1
        yield signs / PROBES**0.5


def moved(
    sampler: Sampler, latents: Latents, direction: Direction, alphas: Sequence[float]
) -> Latents:
    """Latents moved along a direction.

    Uniform latents stay within [-1, 1].

    Args:
        sampler: The generator.
        latents: n of them.
        direction: Of its latents or styles.
        alphas: How far, in standard deviations.

    Returns:
        n times len(alphas): all of the first latent, then all of the next.

    Raises:
        RequestError: The direction is not of this generator.
    """
    style = style_generator(sampler)
    size, space = _size_and_space(sampler, style)
    if direction.space != space or direction.vector.shape != (size,):
        raise RequestError(
            f"direction: is of {direction.vector.shape[0]} numbers in {direction.space}, and this "
            f"generator has {size} in {space}: give one of GAN.directions"
        )
    at, count = latents.repeated(len(alphas)), len(latents)
    steps = np.tile(np.asarray(alphas, np.float32), count)[:, None]
    steps = steps * np.float32(direction.std) * direction.vector
    if style is not None:
        return replace(at, w=styles_in(sampler, at).numpy() + steps)
    z = at.z + steps
    if sampler.prior.kind == "uniform":
        noise = slice(0, sampler.prior.dim)
        z[:, noise] = z[:, noise].clip(-1, 1)
    return replace(at, z=z)


def _size_and_space(
    sampler: Sampler, style: StyleGenerator | None
) -> tuple[int, Literal["z", "w"]]:
    return (sampler.prior.width, "z") if style is None else (style.sizes[0], "w")

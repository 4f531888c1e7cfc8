"""The methods of a GAN that explore its latents: walks, directions, inversion, nearest
training samples, films."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from equipoise.coerce import checked, whole
from equipoise.data.arrays import Labels
from equipoise.errors import EquipoiseError, RequestError
from equipoise.plotting.grids import eight_bit
from equipoise.runtime.process import restores_torch_settings
from equipoise.sampling import interpolation
from equipoise.sampling import latents as of_latents
from equipoise.sampling.directions import Direction, Directions, moved, principal_directions
from equipoise.sampling.draws import Codes
from equipoise.sampling.inversion import Inversion, invert
from equipoise.sampling.latents import Latents, samples_of, truncated_latents
from equipoise.sampling.neighbours import Neighbours, nearest_training

if TYPE_CHECKING:
    from equipoise.data.schema import UserData
    from equipoise.report.trained_run import TrainedRun

Start = int | Latents | ArrayLike
"""A sample by its number among those of a seed, or latents: `Latents` or (Z,)."""


@restores_torch_settings
class LatentTools(ABC):
    """What can be done with the latents of a trained generator."""

    @abstractmethod
    def _trained(self) -> TrainedRun:
        """The training. Raises RequestError where there is none yet."""

    @property
    @abstractmethod
    def _threads(self) -> int | None: ...

    def latents(
        self,
        n: int,
        *,
        label: Hashable | None = None,
        code: Codes | None = None,
        seed: int | None = None,
    ) -> Latents:
        """The latents of the samples that `sample` draws with the same arguments:
        `sample(latents=gan.latents(n, seed=7))` is `sample(n, seed=7)`, bit for bit.

        Of a table with constraints or conditions they are those before any row is
        thrown away.

        Returns:
            `Latents`, with `z`, (n, Z), and the networks' classes.

        Raises:
            RequestError: As `sample`.
        """
        run = self._trained()
        n, seed, position, code = run.sampling_arguments(n, label, seed, code)
        return of_latents.draw(run.sampler, n, seed, position, code)

    def interpolate(
        self,
        a: Start,
        b: Start,
        steps: int = 9,
        *,
        label: Hashable | None = None,
        code: Codes | None = None,
        seed: int = 0,
        truncation: float | None = None,
    ) -> UserData:
        """Samples on the way from one sample to another, both included.

        The way is spherical for normal latents and straight for uniform ones, see
        `sampling.interpolation`. Class and codes are those of `a` all along, so that
        the last sample is `b` only where it has the same.

        Args:
            a: Where it begins: the number of a sample among those of `seed`, from 0; or
                latents, as `latents` returns them.
            b: Where it ends.
            steps: Samples, at least 2.
            label: The class of all, for a conditional generator.
            code: Codes of all, of a generator that has them.
            seed: Of the samples that a and b number.
            truncation: As for `sample`.

        Returns:
            `steps` samples of the user's type.

        Raises:
            RequestError: A number is negative, or latents are not of this generator.
        """
        if (steps := whole("steps", steps)) < 2:
            raise RequestError(f"steps = {steps}: must be at least 2")
        sampler = self._trained().sampler
        start, end = (self._one(*of, label, code, seed) for of in (("a", a), ("b", b)))
        between = interpolation.interpolate(sampler, start, end, steps)
        return samples_of(sampler, truncated_latents(sampler, between, truncation))

    def directions(
        self,
        k: int = 10,
        *,
        label: Hashable | None = None,
        code: Codes | None = None,
        seed: int = 0,
    ) -> Directions:
        """The principal directions of the generator: along which samples change most.

        Of the latents of any generator they are the eigenvectors of E[J(z)^T J(z)],
        with J the Jacobian of G (Wang & Ponce 2021; SeFa, Shen & Zhou 2021, is the same
        for the first layer alone). Of stylegan2 they are the principal components of w
        (GANSpace, Haerkoenen et al. 2020). See `sampling.directions`.

        Args:
            k: How many, or all if there are fewer.
            label: Look at samples of this class alone.
            code: Look at samples with these codes alone.
            seed: Of the samples that are looked at.

        Returns:
            `Directions`: a sequence with `vectors` of length 1, (k, Z), the standard
            deviation of latents along each, and its share of the variation,
            `explained`.

        Raises:
            RequestError: k is less than 1, or there is no such label.
            EquipoiseError: Samples do not depend on latents.
        """
        if (k := whole("k", k)) < 1:
            raise RequestError(f"k = {k}: must be at least 1")
        run = self._trained()
        _, seed, position, code = run.sampling_arguments(1, label, seed, code)
        return principal_directions(run.sampler, k, seed, position, code)

    def move(
        self,
        latents: Any,
        direction: Direction,
        alphas: Sequence[float] = (-2, -1, 0, 1, 2),
        *,
        truncation: float | None = None,
    ) -> UserData:
        """Samples whose latents are moved along a direction.

        Args:
            latents: As `latents` returns them, n of them.
            direction: One of `directions`.
            alphas: How far each is moved, in standard deviations of latents.
            truncation: As for `sample`.

        Returns:
            n * len(alphas) samples of the user's type: all of the first latent, then
            all of the next.

        Raises:
            RequestError: Latents or direction are not of this generator.
        """
        if not isinstance(direction, Direction):
            raise RequestError(
                f"direction = {type(direction).__name__}: give one of GAN.directions, such as "
                "gan.directions()[0]"
            )
        steps = [float(checked("alphas", alpha, float)) for alpha in alphas]
        if not np.isfinite(steps).all():
            raise RequestError("alphas: must be finite numbers")
        sampler = self._trained().sampler
        found = moved(sampler, of_latents.latents_of(sampler, latents), direction, steps)
        return samples_of(sampler, truncated_latents(sampler, found, truncation))

    def invert(
        self,
        data: Any,
        *,
        label: Hashable | None = None,
        steps: int = 300,
        restarts: int = 4,
        seed: int = 0,
        progress: Callable[[int], object] = lambda _: None,
    ) -> Inversion:
        """The latents whose samples are nearest to given ones, by Adam from the nearest
        of many random samples.

        Distances are root mean square differences of pixels, or of columns in standard
        deviations, see `sampling.distance`; they are not of features.

        Args:
            data: Samples of the training data's kind, or one of them; the path of an
                array, a table, an image or a folder of images.
            label: The class of all; None for whichever comes nearest.
            steps: Of Adam.
            restarts: Random samples to begin from, for each; the best end counts.
            seed: Of the random samples. The same seed finds the same latents.
            progress: Is told of samples that were found, as their number.

        Returns:
            `Inversion`: `latents`, their `samples`, the `errors` beside those of the
            nearest of the random samples and of their mean; as a string how near they
            are, in words.

        Raises:
            RequestError: The samples are of another kind, or there is no such label.
        """
        numbers = {"steps": whole("steps", steps), "restarts": whole("restarts", restarts)}
        if problems := [f"{n} = {of}: must be at least 1" for n, of in numbers.items() if of < 1]:
            raise RequestError("; ".join(problems))
        run = self._trained()
        samples = run.samples_like_own(data)
        _, seed, position, _ = run.sampling_arguments(1, label, seed, None)
        return invert(run.sampler, samples, position, seed=seed, progress=progress, **numbers)

    def nearest(
        self, samples: Any, k: int = 5, *, data: Any = None, labels: Labels | None = None
    ) -> Neighbours:
        """The training samples that are nearest to given samples, such as generated
        ones: whether they are copies.

        Distances are as for `invert`.

        Args:
            samples: n of the training data's kind, or one of them.
            k: How many for each.
            data: The training data, where it came in Python and the run was loaded.
            labels: As they were given with it.

        Returns:
            `Neighbours`: for each its `samples`, the nearest first, and `distances`,
            (n, k).

        Raises:
            RequestError: The training data cannot be opened again, or has no samples of
                its own.
        """
        if (k := whole("k", k)) < 1:
            raise RequestError(f"k = {k}: must be at least 1")
        run = self._trained()
        given = run.samples_like_own(samples, generated=True)
        try:
            source = run.training_data() if data is None else run.open_data(data, labels)
        except EquipoiseError as error:
            if data is not None:
                raise
            raise RequestError(
                f"nearest: the training data is not there ({error}): give it as data"
            ) from None
        return nearest_training(run.sampler, given, source, k)

    def pixels(self, images: Any) -> NDArray[np.uint8]:
        """Images of the training data's kind as they can be shown: (N, H, W, C) bytes
        with 1, 3 or 4 channels, black and white where the data has them.

        Args:
            images: Samples, or what `invert` takes.

        Raises:
            RequestError: They are no images, or of another shape.
        """
        run = self._trained()
        schema = run.sampler.schema
        if not schema.is_image:
            raise RequestError("pixels: this run was not trained on images")
        values = run.samples_like_own(images, generated=True).astype(np.float64)
        return eight_bit(values, run.config.data.limits, alpha=schema.alpha)

    def film(
        self,
        path: str | Path,
        kind: str = "training",
        *,
        frames: int | None = None,
        fps: int | None = None,
        size: int | None = None,
        label: Hashable | None = None,
        seed: int | None = None,
        truncation: float | None = None,
    ) -> Path:
        """Write a film, and return its path: .gif, .webp, or .mp4 with the extra
        `film`.

        "training" shows the pictures in the run's folder samples/, each fading into the
        next. "walk" shows samples whose latents go round in smooth loops, each in a
        class that stays; every frame has samples as `sample` draws them.

        Args:
            path: Of the file.
            kind: "training" or "walk".
            frames: How many in all; None for a second for each picture of a training,
                or five of a walk.
            fps: Frames a second, at most 50; None for 12 of a training, 24 of a walk.
            size: The longer side of the samples in pixels.
            label: The class of a walk's samples.
            seed: Of a walk; None for 0.
            truncation: Of a walk, as for `sample`.

        Raises:
            RequestError: There are no pictures of the training, or the data is of a
                kind that no walk is drawn of.
            EquipoiseError: The film cannot be written.
        """
        from equipoise.report import films

        run, film = self._trained(), films.Film.of(Path(path), kind, frames, fps, size)
        if film.kind == "walk":
            _, seed, position, _ = run.sampling_arguments(1, label, seed or 0, None)
            films.write_walk(run, film, seed, position, truncation)
            return film.path
        given = {"label": label, "seed": seed, "truncation": truncation}
        if wrong := [name for name, value in given.items() if value is not None]:
            raise RequestError(f"{' and '.join(wrong)}: for films of the kind walk")
        films.write_training(run, film)
        return film.path

    def _one(
        self, name: str, given: Start, label: Hashable | None, code: Codes | None, seed: int
    ) -> Latents:
        """One latent that was given by its number or as it is."""
        run = self._trained()
        _, seed, position, code = run.sampling_arguments(1, label, seed, code)
        if isinstance(given, int | np.integer) and not isinstance(given, bool):
            if given < 0:
                raise RequestError(f"{name} = {given}: must be at least 0, the first sample")
            return of_latents.draw_one(run.sampler, int(given), seed, position, code)
        found = of_latents.latents_of(run.sampler, given, seed, position, code)
        if len(found) != 1:
            raise RequestError(f"{name} has {len(found)} latents: give one, such as latents[0]")
        return found

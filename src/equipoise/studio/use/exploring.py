"""The latents of a generator of images: walks, directions, and the latents of a picture
that the user has."""

from __future__ import annotations

import base64
import binascii
import shlex
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock
from typing import TYPE_CHECKING, Any

from equipoise.errors import RequestError
from equipoise.studio.use.asked import Asked
from equipoise.studio.use.drawing import data_uri, png_of
from equipoise.studio.use.generators import Loaded

if TYPE_CHECKING:
    from equipoise.sampling.directions import Directions

DIRECTIONS, MAX_ALPHA = 6, 6.0  # that are shown, and standard deviations either way
MAX_STEPS, MAX_NUMBER = 33, 100_000
KEPT = 8  # results of `directions`
INVERSION_STEPS = 200
PICTURE = "picture.png"  # what the user's is called


class Explorer:
    """Explores generators, and keeps the directions of a few, which take seconds."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._kept: OrderedDict[object, Directions] = OrderedDict()

    def walk(self, loaded: Loaded, asked: Asked, a: int, b: int, steps: int) -> dict[str, Any]:
        """Images on the way from one sample of a seed to another, and the lines that
        give the same.

        Raises:
            RequestError: The numbers are out of range, or the samples are no images.
        """
        _check_images(loaded)
        if not (0 <= a <= MAX_NUMBER and 0 <= b <= MAX_NUMBER):
            raise RequestError(f"{a} and {b}: give numbers of samples from 0 to {MAX_NUMBER:,}")
        if not 2 <= steps <= MAX_STEPS:
            raise RequestError(f"steps = {steps}: must be from 2 to {MAX_STEPS}")
        gan, arguments = loaded.gan, asked.arguments(loaded.gan.schema)
        images = gan.pixels(gan.interpolate(a, b, steps, **arguments))
        named = "".join(f", {name}={value!r}" for name, value in arguments.items())
        words = ["latent", str(loaded.path), "interpolate", "--between", str(a), str(b)]
        words += [f"--steps={steps}", *_options(asked), "--out=walk.png"]
        return {
            "images": [data_uri(png_of(one)) for one in images],
            **_lines(loaded, f"between = gan.interpolate({a}, {b}, {steps}{named})", words),
        }

    def directions(self, loaded: Loaded, asked: Asked) -> dict[str, Any]:
        """How much of all change each of the principal directions has, and the lines
        that give them. Raises as `GAN.directions`."""
        _check_images(loaded)
        found = self._directions(loaded, asked)
        call = f"directions = gan.directions({DIRECTIONS}{_named(asked.label)})"
        words = ["latent", str(loaded.path), "directions", f"-k={DIRECTIONS}"]
        words += [*_options(asked, seed=False), "--out=directions.png"]
        return {
            "explained": found.explained.tolist(),
            "most": MAX_ALPHA,
            **_lines(loaded, call, words),
        }

    def moved(self, loaded: Loaded, asked: Asked, number: int, alphas: Sequence[float]) -> bytes:
        """A PNG of one sample of a seed, moved along the principal directions.

        Args:
            number: Of the sample.
            alphas: How far along each direction, in standard deviations.

        Raises:
            RequestError: The numbers are out of range, or the samples are no images.
        """
        _check_images(loaded)
        if not 0 <= number <= MAX_NUMBER:
            raise RequestError(f"{number}: give the number of a sample, up to {MAX_NUMBER:,}")
        if len(alphas) > DIRECTIONS or any(abs(alpha) > MAX_ALPHA for alpha in alphas):
            raise RequestError(
                f"alpha: give at most {DIRECTIONS} numbers from {-MAX_ALPHA:g} to {MAX_ALPHA:g}"
            )
        from equipoise.sampling.directions import moved

        gan, directions = loaded.gan, self._directions(loaded, asked)
        given = asked.arguments(gan.schema)
        truncation = given.pop("truncation", None)
        latents = gan.latents(number + 1, **given)[number]
        for direction, alpha in zip(directions, alphas, strict=False):
            if alpha:
                latents = moved(loaded.run.sampler, latents, direction, [alpha])
        return png_of(gan.pixels(gan.sample(latents=latents, truncation=truncation))[0])

    def _directions(self, loaded: Loaded, asked: Asked) -> Directions:
        key = (loaded.path, loaded.state, asked.label, asked.code)
        with self._lock:
            found = self._kept.get(key)
        if found is None:
            code = dict(asked.code) or None
            found = loaded.gan.directions(DIRECTIONS, label=asked.label, code=code)
            with self._lock:
                self._kept[key] = found
                if len(self._kept) > KEPT:
                    self._kept.popitem(last=False)
        return found


def invert(loaded: Loaded, png: str, label: str | None) -> dict[str, Any]:
    """The latents whose sample is nearest to a picture, and how near it is.

    Args:
        loaded: The generator.
        png: The picture, base64.
        label: Its class; None for whichever comes nearest.

    Raises:
        RequestError: It is no picture, or the samples are no images.
    """
    _check_images(loaded)
    try:
        content = base64.b64decode(png, validate=True)
    except (binascii.Error, ValueError):
        raise RequestError("the picture is damaged: choose it again") from None
    gan = loaded.gan
    with TemporaryDirectory() as folder:
        path = Path(folder) / PICTURE
        path.write_bytes(content)
        try:
            found = gan.invert(path, label=label, steps=INVERSION_STEPS)
            given = gan.pixels(path)
        except RequestError as error:
            raise RequestError(str(error).replace(str(path), PICTURE)) from None
    python = f"found = gan.invert({PICTURE!r}, steps={INVERSION_STEPS}{_named(label)})"
    words = ["latent", str(loaded.path), "invert", f"--data={PICTURE}"]
    words += [f"--steps={INVERSION_STEPS}"]
    words += [] if label is None else [f"--label={label}"]
    return {
        "given": data_uri(png_of(given[0])),
        "found": data_uri(png_of(gan.pixels(found.samples)[0])),
        "words": str(found),
        "error": float(found.errors[0]),
        **_lines(loaded, python, [*words, "--out=found.png"]),
    }


def _check_images(loaded: Loaded) -> None:
    if not loaded.gan.schema.is_image:
        raise RequestError("the page explores the latents of images alone: see docs/latent.md")


def _lines(loaded: Loaded, call: str, words: Sequence[str]) -> dict[str, str]:
    python = ["from equipoise import GAN", "", f"gan = GAN.load({str(loaded.path)!r})", call]
    return {"python": "\n".join(python), "cli": shlex.join(["equipoise", *words])}


def _options(asked: Asked, *, seed: bool = True) -> list[str]:
    found = [f"--seed={asked.seed}"] if seed else []
    if asked.label is not None:
        found.append(f"--label={asked.label}")
    if seed and asked.truncation != 1:
        found.append(f"--truncation={asked.truncation:g}")
    if seed and asked.code:
        found.append("--code=" + ",".join(f"{name}={value:g}" for name, value in asked.code))
    return found


def _named(label: str | None) -> str:
    return "" if label is None else f", label={label!r}"

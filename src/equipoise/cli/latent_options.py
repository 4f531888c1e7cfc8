"""The options of `equipoise film` and `equipoise latent`, as dataclasses."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from equipoise.cli.options import RUN_NEEDED
from equipoise.cli.parser import option, positional


@dataclass(frozen=True)
class Film:
    """Make a film of a run: of its samples through the training, or of a walk through
    its latents."""

    run: Path = positional("RUN", RUN_NEEDED)
    """A run directory."""
    out: Path | None = option(None, "FILE")
    """FILE.gif, .webp, or .mp4 with the extra film. Default: training.gif or walk.gif
    in the run directory."""
    kind: Literal["training", "walk"] = "training"
    """training: the pictures in the run's folder samples/, each fading into the next.
    walk: samples whose latents go round in smooth loops."""
    frames: int | None = option(None, "N")
    """Frames in all. Default: a second for each picture of a training, five of a
    walk."""
    fps: int | None = option(None, "N")
    """Frames a second. Default: 12 of a training, 24 of a walk."""
    size: int | None = option(None, "PIXELS")
    """The longer side of the samples. Default: as the pictures are, about 512 of a
    walk."""
    label: str | None = None
    """The class of a walk's samples. Default: any."""
    seed: int | None = None
    """Of a walk. Default: 0."""
    truncation: float | None = option(None, "PSI")
    """Of a walk: nearer to the mean, see equipoise sample --help."""
    device: str = "auto"
    """cpu, cuda, or auto: a CUDA GPU if there is one."""


@dataclass(frozen=True)
class Interpolate:
    """Samples on the way from one sample of a seed to another."""

    run: Path = positional("RUN", RUN_NEEDED)
    """A run directory."""
    between: tuple[int, ...] = option((0, 1), "N")
    """The numbers of two samples of --seed, from 0."""
    steps: int = 9
    """Samples, both ends included."""
    label: str | None = None
    """The class of all, for a run that was trained with labels."""
    code: str | None = option(None, "CODES")
    """Codes to fix, for a run of the recipe infogan, such as c0=3,u0=-1.5."""
    seed: int = 0
    """Of the samples that --between numbers."""
    truncation: float | None = option(None, "PSI")
    """Nearer to the mean, see equipoise sample --help."""
    out: Path | None = option(None, "FILE")
    """FILE.png for images, .npy or .npz for arrays, a table's formats for rows.
    Default: points and rows are printed."""
    device: str = "auto"
    """cpu, cuda, or auto: a CUDA GPU if there is one."""


@dataclass(frozen=True)
class Directions:
    """The directions in the latents along which samples change most, and how much of
    all change each has."""

    run: Path = positional("RUN", RUN_NEEDED)
    """A run directory."""
    k: int = option(10, "K", short="-k")
    """How many."""
    label: str | None = None
    """Look at samples of this class alone."""
    seed: int = 0
    """Of the samples that are looked at; the first is the one that --out moves."""
    out: Path | None = option(None, "FILE")
    """FILE.png of images: a row for each direction, from -3 to 3 standard deviations.
    FILE.npz: vectors, stds and explained."""
    device: str = "auto"
    """cpu, cuda, or auto: a CUDA GPU if there is one."""


@dataclass(frozen=True)
class Invert:
    """Find the latents whose samples are nearest to given ones."""

    run: Path = positional("RUN", RUN_NEEDED)
    """A run directory."""
    data: str | None = option(None, "DATA")
    """An image, a folder of images, an array or a table. Needed."""
    label: str | None = None
    """The class of all. Default: whichever comes nearest."""
    steps: int = 300
    """Steps of Adam."""
    restarts: int = 4
    """Random samples to begin from, for each."""
    seed: int = 0
    """Of the random samples."""
    out: Path | None = option(None, "FILE")
    """FILE.png of images: the given ones above what was found. FILE.npz: latents z,
    classes and errors."""
    device: str = "auto"
    """cpu, cuda, or auto: a CUDA GPU if there is one."""


@dataclass(frozen=True)
class Nearest:
    """The training samples that are nearest to generated ones: whether they are
    copies."""

    run: Path = positional("RUN", RUN_NEEDED)
    """A run directory."""
    n: int = option(5, "N", short="-n")
    """Generated samples."""
    k: int = option(5, "K", short="-k")
    """Training samples for each."""
    label: str | None = None
    """The class to draw, for a run that was trained with labels."""
    seed: int = 0
    """Of the generated samples."""
    out: Path | None = option(None, "FILE.png")
    """Of images: each generated one on the left of its nearest."""
    device: str = "auto"
    """cpu, cuda, or auto: a CUDA GPU if there is one."""

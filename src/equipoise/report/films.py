"""Films of a run: its samples through the training, and walks through its latents."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from equipoise.coerce import whole
from equipoise.data import readers
from equipoise.errors import EquipoiseError, RequestError
from equipoise.plotting import plots
from equipoise.plotting.axes import axis_limits, bin_edges, density_of
from equipoise.plotting.film_files import check_ending, check_film, write_film
from equipoise.plotting.film_frames import (
    Picture,
    captioned,
    fading,
    grid_frame,
    plot_frame,
    read_picture,
    scaled_size,
    smooth,
    through,
)
from equipoise.plotting.grids import eight_bit
from equipoise.report.context import held_out_samples, progress_images
from equipoise.report.trained_run import TrainedRun
from equipoise.sampling.interpolation import loop
from equipoise.sampling.latents import values_of
from equipoise.sampling.truncation import truncated
from equipoise.utils.progress_bar import bar

if TYPE_CHECKING:
    from PIL.Image import Image

Array = NDArray[np.float64]
FilmKind = Literal["training", "walk"]
TRAINING_FPS, WALK_FPS = 12, 24
SECONDS_PER_PICTURE, SECONDS_HELD, WALK_SECONDS = 1.0, 1.5, 5.0
MAX_FRAMES, MAX_FPS, MIN_SIZE, MAX_SIZE = 100_000, 50, 16, 4096
# Samples of a walk. Of images a square of as many as can be seen, 64 pixels each.
POINTS, WINDOWS, MAX_ACROSS, CELL = 2_000, 200, 4, 64
HEADROOM, MAX_PEAK = 1.1, 3.0  # above the tallest peak; peaks, as multiples of the data's
MOVING = 0.75  # of the time from one moment to the next, in which points move
SIDE = 512  # pixels of a walk, about


@dataclass(frozen=True)
class Film:
    """What is asked for, checked."""

    path: Path
    kind: FilmKind
    fps: int
    frames: int | None
    size: int | None

    @classmethod
    def of(
        cls, path: Path, kind: str, frames: int | None, fps: int | None, size: int | None
    ) -> Film:
        """
        Raises:
            RequestError: Something cannot be: all mistakes, in one line.
        """
        problems = []
        if kind not in ("training", "walk"):
            problems.append(f"kind = {kind!r}: must be training or walk")
        ranges = {"frames": (frames, 1, MAX_FRAMES), "fps": (fps, 1, MAX_FPS)}
        ranges["size"] = (size, MIN_SIZE, MAX_SIZE)
        for name, (given, low, high) in ranges.items():
            if given is not None and not low <= whole(name, given) <= high:
                problems.append(f"{name} = {given}: must be from {low} to {high:,}")
        try:
            check_ending(path)
        except RequestError as error:
            problems.append(str(error))
        if problems:
            raise RequestError("; ".join(problems))
        default = WALK_FPS if kind == "walk" else TRAINING_FPS
        return cls(path, "walk" if kind == "walk" else "training", fps or default, frames, size)


def write_training(run: TrainedRun, film: Film) -> None:
    """Write the film of a training, from the pictures in its directory.

    Raises:
        RequestError: There are none.
        EquipoiseError: One cannot be read, or the film not be written.
    """
    directory = run.directory
    paths = [] if directory is None else progress_images(directory)
    if directory is None or not paths:
        where = "a GAN in memory" if directory is None else str(directory.images)
        raise RequestError(
            f"{where} has no pictures of the training: train with out, or make a film of the kind "
            "walk"
        )
    pictures = [Picture(path, int(path.stem)) for path in paths]
    held = round(SECONDS_HELD * film.fps)
    steps = round(SECONDS_PER_PICTURE * film.fps) * (len(pictures) - 1)
    frames = film.frames or steps + held + 1
    size = scaled_size(read_picture(paths[-1]).size, film.size)
    check_film(film.path, frames, size)
    title = f"{run.config.data.name}, {run.sampler.recipe.name}"
    held = min(held, frames // 4)
    if plots.is_plane(run.sampler.schema) and (moments := _moments(pictures)):
        images = _moving(run, moments, frames, held, film.size, title)
    else:
        shown = title if run.sampler.schema.is_image else None  # plots have a title
        images = fading(pictures, frames, held, film.size, shown)
    _write(film, images, frames)


def _moments(pictures: Sequence[Picture]) -> list[tuple[int, Array]]:
    """The points of each picture with the samples seen; none if some are missing."""
    moments = []
    for picture in pictures:
        path = picture.path.with_suffix(".npy")
        if not path.is_file():
            return []
        moments.append((picture.samples_seen, np.asarray(readers.read(path).values, np.float64)))
    return moments if len({points.shape for _, points in moments}) == 1 else []


def _moving(
    run: TrainedRun,
    moments: Sequence[tuple[int, Array]],
    frames: int,
    held: int,
    size: int | None,
    title: str,
) -> Iterator[Image]:
    """Points of fixed latents, which move from where they are at one moment to where
    they are at the next, against the data."""
    schema, distribution = run.sampler.schema, run.config.data.distribution
    real = _real_points(run, None)
    points = [values.reshape(len(values), -1) for _, values in moments]
    axes = points[-1] if real is None else real
    top = _tallest(axes, points) if schema.size == 1 else None
    last: tuple[float, Image] | None = None
    for at in through(len(points), frames, held):
        if last is None or last[0] != at:
            number = min(int(at), len(points) - 1)
            after = min(number + 1, len(points) - 1)
            weight = smooth((at - number - (1 - MOVING)) / MOVING)
            values = (1 - weight) * points[number] + weight * points[after]
            seen = f"{moments[number][0]:,}"
            if weight > 0:
                seen = f"between {seen} and {moments[after][0]:,}"
            text = f"{title}, {seen} samples seen"
            png = plots.plot(
                values, schema, distribution, real, text, in_training=True, axes=axes, top=top
            )
            progress = at / max(len(points) - 1, 1)
            last = at, captioned(plot_frame(png, size), "", progress)
        yield last[1]


def _tallest(axes: Array, moments: Sequence[Array]) -> float:
    """The end of the axis of densities for all moments: not all of a narrow peak."""
    low, high = axis_limits(axes)
    edges = bin_edges(low[0], high[0])
    peaks = [float(density_of(points[:, 0], edges).max()) for points in [axes, *moments]]
    return HEADROOM * min(max(peaks), MAX_PEAK * peaks[0])


def _real_points(run: TrainedRun, label: int | None) -> Array | None:
    """Held-out points or windows; None where the data is not there."""
    try:
        return held_out_samples(run.training_data(), plots.MAX_POINTS, label)
    except EquipoiseError:  # it came in Python, or has changed
        return None


def write_walk(
    run: TrainedRun, film: Film, seed: int, label: int | None, truncation: float | None
) -> None:
    """Write a film of samples whose latents go round in loops.

    Args:
        run: The trained generator.
        film: What is asked for.
        seed: Of the loops.
        label: The position of the class of all samples; None for any.
        truncation: From 0 to 1; None for none.

    Raises:
        RequestError: The samples are rows of a table, or have more than two columns.
        EquipoiseError: The film cannot be written.
    """
    schema = run.sampler.schema
    if not schema.is_image and schema.series is None and (schema.size > 2 or schema.table):
        raise RequestError(
            "kind = 'walk': is for images, windows of series, and points of one or two columns: "
            "give kind = 'training'"
        )
    frames = film.frames or round(WALK_SECONDS * film.fps)
    longer = film.size or SIDE
    check_film(film.path, frames, (longer, longer))
    images = _image_frames if schema.is_image else _plot_frames
    _write(film, images(run, film, frames, seed, label, truncation), frames)


def _write(film: Film, images: Iterator[Image], frames: int) -> None:
    """Write the frames behind a progress bar."""
    with bar(f"Writing {film.path.name}", frames) as done:

        def counted() -> Iterator[Image]:
            for image in images:
                yield image
                done(1)

        write_film(film.path, counted(), film.fps)


def _image_frames(
    run: TrainedRun,
    film: Film,
    frames: int,
    seed: int,
    label: int | None,
    truncation: float | None,
) -> Iterator[Image]:
    """A square of images; each keeps its class."""
    sampler, schema = run.sampler, run.sampler.schema
    drawn = truncated(sampler, truncation)
    across = min(max((film.size or SIDE) // max(CELL, *schema.shape[1:]), 1), MAX_ACROSS)
    caption = _caption(run, label)
    for latents in loop(sampler, across**2, frames, seed, label):
        values = values_of(drawn, latents)
        images = eight_bit(values, run.config.data.limits, alpha=schema.alpha)
        yield grid_frame(images, across, film.size or _whole_size(schema.shape, across), caption)


def _whole_size(shape: Sequence[int], across: int) -> int:
    """The longer side of a square of images, in pixels: a whole multiple of its own."""
    longer = max(shape[1:]) * across
    return longer * max(round(SIDE / longer), 1)


def _plot_frames(
    run: TrainedRun,
    film: Film,
    frames: int,
    seed: int,
    label: int | None,
    truncation: float | None,
) -> Iterator[Image]:
    """Plots of points or windows on the axes of real ones, where these are there."""
    sampler, data = run.sampler, run.config.data
    drawn, real = truncated(sampler, truncation), _real_points(run, label)
    n = POINTS if sampler.schema.series is None else WINDOWS
    axes = sampler.values(plots.MAX_POINTS, seed, label) if real is None else real
    distribution = data.distribution if label is None else None
    for latents in loop(sampler, n, frames, seed, label):
        values = values_of(drawn, latents)
        png = plots.plot(
            values,
            sampler.schema,
            distribution,
            real,
            _caption(run, label),
            in_training=True,
            axes=axes,
        )
        yield plot_frame(png, film.size)


def _caption(run: TrainedRun, label: int | None) -> str:
    classes = run.sampler.schema.classes or ()
    of = "" if label is None else f", {classes[label]}"
    seen = f"{run.sampler.samples_seen:,} samples seen"
    return f"{run.config.data.name}, {run.sampler.recipe.name}{of}: {seen}"

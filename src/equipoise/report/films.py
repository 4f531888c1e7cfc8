"""Films of a run: its samples through the training, and walks through its latents."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from equipoise.coerce import whole
from equipoise.errors import RequestError
from equipoise.plotting import plots
from equipoise.plotting.film_files import check_ending, check_film, write_film
from equipoise.plotting.film_frames import (
    Picture,
    fading,
    grid_frame,
    plot_frame,
    read_picture,
    scaled_size,
)
from equipoise.plotting.grids import eight_bit
from equipoise.report.context import held_out_samples, progress_images
from equipoise.report.trained_run import TrainedRun
from equipoise.sampling.interpolation import loop
from equipoise.sampling.latents import truncated_latents, values_of
from equipoise.utils.progress_bar import bar

if TYPE_CHECKING:
    from PIL.Image import Image

FilmKind = Literal["training", "walk"]
TRAINING_FPS, WALK_FPS = 12, 24
SECONDS_PER_PICTURE, SECONDS_HELD, WALK_SECONDS = 1.0, 1.5, 5.0
MAX_FRAMES, MAX_FPS, MIN_SIZE, MAX_SIZE = 100_000, 50, 16, 4096
# Samples of a walk. Of images a square of as many as can be seen, 64 pixels each.
POINTS, WINDOWS, MAX_ACROSS, CELL = 2_000, 200, 4, 64
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
    shown = title if run.sampler.schema.is_image else None  # plots have a title
    held = min(held, frames // 4)
    _write(film, fading(pictures, frames, held, film.size, shown), frames)


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
    across = min(max((film.size or SIDE) // max(CELL, *schema.shape[1:]), 1), MAX_ACROSS)
    caption = _caption(run, label)
    for latents in loop(sampler, across**2, frames, seed, label):
        values = values_of(sampler, truncated_latents(sampler, latents, truncation))
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
    source = run.source if data.distribution is None else run.training_data()
    real = None if source is None else held_out_samples(source, plots.MAX_POINTS, label)
    n = POINTS if sampler.schema.series is None else WINDOWS
    axes = sampler.values(plots.MAX_POINTS, seed, label) if real is None else real
    distribution = data.distribution if label is None else None
    for latents in loop(sampler, n, frames, seed, label):
        values = values_of(sampler, truncated_latents(sampler, latents, truncation))
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

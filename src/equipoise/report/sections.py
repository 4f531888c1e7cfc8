"""The images of a page: samples beside real ones, classes, nearest training samples,
the training's progress, curves and latents."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from equipoise.data.images.decode import thumbnail
from equipoise.data.schema import Schema
from equipoise.metrics.copies import THUMBNAIL
from equipoise.metrics.neighbours import nearest
from equipoise.metrics.reference import thumbnails
from equipoise.plotting.axes import (
    MAX_COLUMNS,
    PANELS_PER_ROW,
    axis_limits,
    axis_names,
    column_panels,
    columns_note,
)
from equipoise.plotting.grids import image_grid
from equipoise.plotting.resizing import resizing_sheet
from equipoise.plotting.sheets import MAX_CLASSES, by_class, has_classes, labels_of
from equipoise.report import charts
from equipoise.report.charts import Image
from equipoise.report.context import PageContext
from equipoise.report.series_charts import autocorrelation_chart, windows_chart
from equipoise.report.surfaces import class_chart, latent_chart, line_charts, plane_charts
from equipoise.report.table_charts import heat_maps, panels_chart
from equipoise.sampling.sampler import EVALUATION_SEED

Array = NDArray[np.float64]
SHOWN_IMAGES, SHOWN_POINTS = 36, 5_000
NEIGHBOURS, MAX_TRAINING_ROWS = 8, 20_000
MAX_PROGRESS_IMAGES, PROGRESS_SIDE = 6, 520  # pixels of the longer side


def samples(run: PageContext) -> list[Image]:
    """Generated samples beside real ones; empty where some are not finite."""
    source, schema = run.source, run.sampler.schema
    n = SHOWN_IMAGES if schema.is_image else SHOWN_POINTS
    generated = run.sampler.values(n, EVALUATION_SEED)
    if not np.isfinite(generated).all():
        return []
    real = None if source is None else source.held_out(n, 0).double().numpy()
    if schema.is_image:
        grids = [_grid(generated, "generated", run)]
        return grids if real is None else [*grids, _grid(real, "real", run)]
    if source is None or real is None:
        return []
    if schema.series is not None:
        return [windows_chart(schema.series, generated, real)]
    if schema.table is not None:
        worst = [] if run.table is None else run.table.columns
        return [panels_chart(schema.table, generated, real, worst)]
    names, distribution = axis_names(schema), source.distribution
    if schema.size == 1:
        return line_charts(generated[:, 0], real[:, 0], distribution, run.surface, names[0])
    if schema.size == 2:
        return plane_charts(generated, real, distribution, run.surface, names)
    return [column_chart(generated, real, schema)]


def on_packs(run: PageContext) -> str:
    """Why D is not drawn over points, where it sees several samples at once."""
    schema, packing = run.sampler.schema, run.sampler.recipe.packing
    if packing == 1 or schema.is_image or schema.table or schema.size > 2:
        return ""
    return f"D is not drawn: it sees {packing} samples at once, and has no value at one point."


def _grid(images: Array, what: str, run: PageContext) -> Image:
    alpha = run.sampler.schema.alpha
    source = charts.data_uri(image_grid(images, run.limits, alpha=alpha))
    return Image(source, f"{len(images)} {what} images in a grid.", what)


def column_chart(generated: Array, real: Array, schema: Schema) -> Image:
    """Histograms of the first columns.

    The axes are those of the real samples: a generator that diverges would squeeze them
    into one bar each.

    Args:
        generated: Shape (N, D).
        real: Shape (M, D).
        schema: Of the data.
    """
    shown = min(schema.size, MAX_COLUMNS)
    figure = charts.new_figure(7.2, 1.8 * -(-shown // PANELS_PER_ROW) + 0.4)
    column_panels(figure, generated, real, axis_names(schema), *axis_limits(real))
    alt = f"Histograms of {shown} columns: generated, filled, over real, in outline."
    caption = f"Generated, filled; real, in outline{columns_note(schema)}."
    return charts.svg_image(figure, alt, caption, wide=True)


def dependence(run: PageContext) -> list[Image]:
    """How values of series depend on those before, beside how real ones do."""
    source, series = run.source, run.sampler.schema.series
    if source is None or series is None:
        return []
    generated = run.sampler.values(SHOWN_POINTS, EVALUATION_SEED)
    if not np.isfinite(generated).all():
        return []
    real = source.held_out(SHOWN_POINTS, 0).double().numpy()
    image = autocorrelation_chart(series, generated, real)
    return [] if image is None else [image]


def pairs(run: PageContext) -> list[Image]:
    """What binds the columns of a table, beside what binds them in real rows."""
    image = None if run.table is None else heat_maps(run.table)
    return [] if image is None else [image]


def classes(run: PageContext) -> list[Image]:
    """Samples of each label, by a generator that learned labels."""
    sampler, source = run.sampler, run.source
    conditional = sampler.recipe.conditional
    if not conditional or not np.isfinite(sampler.values(SHOWN_IMAGES, EVALUATION_SEED)).all():
        return []
    labels, count = labels_of(sampler), len(sampler.schema.classes or ())
    first = f"the first {MAX_CLASSES} of {count} classes" if count > MAX_CLASSES else ""
    description = first or f"the classes {', '.join(labels)}"
    if has_classes(sampler):
        alt = f"Generated images, a row for each of {description}."
        caption = f"Each row is a class{f': {first}' if first else ''}. "
        caption += "Images of a column have the same latents."
        sheet = charts.data_uri(by_class(sampler, run.limits, EVALUATION_SEED))
        return [Image(sheet, alt, caption, wide=True)]
    schema = sampler.schema
    if schema.size > 2 or schema.table is not None or schema.series is not None:
        return []
    real = None if source is None else source.labelled(SHOWN_POINTS, 0, held_out=True)
    return [class_chart(sampler, real, labels, EVALUATION_SEED, description)]


def nearest_training_images(run: PageContext) -> list[Image]:
    """Generated images, and below each the nearest training image."""
    source = run.source
    if source is None or not source.schema.is_image or source.training_rows is None:
        return []
    generated = run.sampler.values(NEIGHBOURS, EVALUATION_SEED)
    if not np.isfinite(generated).all():
        return []
    training = source.seen(MAX_TRAINING_ROWS, 0)
    both = (torch.from_numpy(generated), training)
    small = [thumbnails(source.measured(x), THUMBNAIL) for x in both]
    _, found = nearest(*small)
    pairs = np.concatenate([generated, training[found].double().numpy()])
    alpha = source.schema.alpha
    grid = charts.data_uri(image_grid(pairs, run.limits, NEIGHBOURS, alpha=alpha))
    alt = "Eight generated images, and the training image nearest to each."
    caption = f"Above: generated. Below: the nearest of {len(training):,} training images. "
    caption += "If both are the same, the generator copies."
    return [Image(grid, alt, caption)]


def resizing(run: PageContext) -> list[Image]:
    """What was done to some images of a folder that had another size."""
    source = run.source
    if source is None or source.resized is None:
        return []
    sheet = resizing_sheet(source.resized, run.limits, alpha=source.schema.alpha)
    if sheet is None:
        return []
    alt = "Images of the folder, and below each what was made of it."
    caption = "Above: images as they are, with the part that is kept in a frame. "
    caption += "Below: as they are learned."
    return [Image(charts.data_uri(sheet), alt, caption, wide=True)]


def progress(run: PageContext) -> list[Image]:
    """A few of the images that were drawn during training, made smaller."""
    paths = run.progress_images
    if not paths:
        return []
    chosen = np.linspace(0, len(paths) - 1, min(MAX_PROGRESS_IMAGES, len(paths)))
    images = []
    for path in (paths[i] for i in chosen.round().astype(int)):
        content = thumbnail(path, PROGRESS_SIDE)
        if content is None:  # the file is damaged or gone: the page does without it
            continue
        seen = f"{int(path.stem):,} samples seen"
        source = charts.data_uri(content)
        images.append(Image(source, f"Generated samples after {seen}.", seen))
    return images


def curves(run: PageContext) -> list[Image]:
    """What was logged during training, against samples seen."""
    found = [
        charts.primary(run.log, run.primary),
        charts.critic(run.log, run.primary)
        or charts.balance(run.log, run.output)
        or charts.difference(run.log, run.output),
        charts.losses(run.log),
        charts.gradients(run.log),
    ]
    return [image for image in found if image is not None]


def latents(run: PageContext) -> list[Image]:
    """How samples depend on the latent, in one or two dimensions."""
    schema = run.sampler.schema
    planar = schema.size <= 2 and schema.table is None and schema.series is None
    if schema.is_image or not planar or run.sampler.prior.dim == 0:
        return []
    return [latent_chart(run.sampler, EVALUATION_SEED)]

"""What a page needs of a run, gathered from its directory or from a training in
memory."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import nn

from equipoise.data.sources import Source
from equipoise.data.split import HELD_OUT_MAX
from equipoise.errors import EquipoiseError
from equipoise.metrics.result import MetricResult
from equipoise.plotting import plots
from equipoise.recipes._building import build_method, fitted_recipe
from equipoise.recipes.output import DiscriminatorOutput, Probability
from equipoise.report.report import Report
from equipoise.report.surfaces import Surface
from equipoise.report.tables import TableComparison, table_comparison
from equipoise.runs import checkpoint
from equipoise.runs.config import RunConfig
from equipoise.runs.directory import RunDirectory
from equipoise.sampling.sampler import Sampler
from equipoise.training.state import State


@dataclass(frozen=True)
class PageContext:
    """All that the page of a run is made from."""

    name: str
    """The run directory; empty for a training in memory."""
    report: Report
    sampler: Sampler
    source: Source | None
    """The training data; without it, generated samples stand alone."""
    log: Sequence[Mapping[str, Any]]
    config: RunConfig
    surface: Surface | None = None
    """D, where its weights are there and it can be drawn."""
    output: DiscriminatorOutput = field(default_factory=Probability)
    """What D's output means."""
    progress_images: Sequence[Path] = ()
    """Images of samples through the training, the first first."""
    table: TableComparison | None = None
    """How rows differ from real ones, of a table whose data is there."""

    @property
    def primary(self) -> MetricResult:
        """The primary metric."""
        return self.report.metrics[0]

    @property
    def limits(self) -> tuple[float, float] | None:
        """The values of black and white, for images."""
        return self.config.data.limits


def page_context(
    sampler: Sampler,
    source: Source | None,
    report: Report,
    log: Sequence[Mapping[str, Any]],
    config: RunConfig,
    directory: RunDirectory | None,
    state: State | None,
) -> PageContext:
    """Gather what the page of a run is made from.

    Args:
        sampler: The generator.
        source: The training data, where it is there.
        report: The report on the generator.
        log: The lines of log.jsonl.
        config: Of the run.
        directory: The run's, if it has one.
        state: The training's, with D. None for a run that was loaded: D's weights are
            then read from its newest checkpoint.
    """
    if state is not None:
        built, discriminator, known = state.method, state.discriminator, True
    else:
        fitted = fitted_recipe(sampler.recipe, sampler.transform)
        built = build_method(fitted, sampler.schema, seed=0)
        discriminator = built.discriminator
        known = _load_discriminator(discriminator, directory)
    # D can be drawn in one or two dimensions of numbers, where it judges points one by
    # one, not in packs or batches, and its answer does not depend on a class.
    schema = sampler.schema
    drawable = (
        built.together
        and built.packing.size == 1
        and not (
            schema.is_image
            or schema.size > 2
            or schema.table
            or schema.series
            or sampler.recipe.conditional
        )
    )
    surface = None
    if known and drawable:
        surface = Surface(discriminator.to(sampler.device), sampler, built.output)
    return PageContext(
        name="" if directory is None else str(directory.path),
        report=report,
        sampler=sampler,
        source=source,
        log=log,
        config=config,
        surface=surface,
        output=built.output,
        progress_images=[] if directory is None else progress_images(directory),
        table=None if source is None else table_comparison(sampler, source),
    )


def picture(
    values: NDArray[np.float64],
    sampler: Sampler,
    source: Source | None,
    config: RunConfig,
    label: Hashable | None,
) -> bytes:
    """A PNG of samples beside real ones, where those are known.

    Args:
        values: Samples of shape (N, *shape), in the user's units.
        sampler: The generator.
        source: The training data, where it is there.
        config: The content of config.json.
        label: The one label of all samples; None for samples of any.
    """
    data = config.data
    distribution = data.distribution if label is None else None
    index = None if label is None else sampler.schema.class_index(label)
    real = None
    if source is not None and not sampler.schema.is_image:
        real = held_out_samples(source, len(values), index)
    labelled = "" if label is None else f", label {label}"
    seen = f"{sampler.samples_seen:,} samples seen"
    title = f"{data.name}, {sampler.recipe.name}{labelled}, {seen}"
    return plots.picture(values, sampler.schema, data.limits, distribution, real, title)


def held_out_samples(source: Source, n: int, index: int | None) -> NDArray[np.float64] | None:
    """Held-out samples to draw generated ones beside.

    Args:
        source: The training data.
        n: At most so many.
        index: Of the class that all are of; None for any.

    Returns:
        Shape (m, *shape). None where none of the class are held out.
    """
    if index is None:
        return source.held_out(n, 0).double().numpy()
    labelled = source.labelled(max(n, HELD_OUT_MAX), 0, held_out=True)
    if labelled is None:
        return None
    x, y = labelled
    real = x[y == index][:n]
    return real.double().numpy() if len(real) else None


def progress_images(directory: RunDirectory) -> list[Path]:
    """The images of samples through the training, the first first."""
    return sorted(
        (path for path in directory.images.glob("*.png") if path.stem.isdecimal()),
        key=lambda path: int(path.stem),
    )


def _load_discriminator(discriminator: nn.Module, directory: RunDirectory | None) -> bool:
    """Load D's weights from the newest whole checkpoint, and return whether there is
    one that fits."""
    if directory is None:
        return False
    try:
        tensors, _ = checkpoint.load_newest(directory.checkpoints, lambda _: None)
    except EquipoiseError:
        return False
    prefix = "discriminator."
    weights = {
        name.removeprefix(prefix): tensor
        for name, tensor in tensors.items()
        if name.startswith(prefix)
    }
    try:
        discriminator.load_state_dict(weights)
    except RuntimeError:  # of another network
        return False
    return True

"""Telling: what a page shows of a run, gathered from its directory or from a training
in memory."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import nn

from equipoise.data.sources import Source
from equipoise.data.split import HELD_OUT_MAX
from equipoise.errors import EquipoiseError
from equipoise.plotting import plots
from equipoise.recipes._building import build_method, fitted_recipe
from equipoise.report.page import Run
from equipoise.report.report import Report
from equipoise.report.surfaces import Surface
from equipoise.runs import checkpoint
from equipoise.runs.config import RunConfig
from equipoise.runs.directory import RunDirectory
from equipoise.sampling.sampler import Sampler
from equipoise.training.state import State


def told(
    sampler: Sampler,
    source: Source | None,
    report: Report,
    log: Sequence[Mapping[str, Any]],
    config: RunConfig,
    directory: RunDirectory | None,
    state: State | None,
) -> Run:
    """What the page of a run shows.

    `state` is the training's own; of a run that was loaded D comes from its newest
    checkpoint. Without a source, samples stand alone. D is drawn where it judges points
    one by one and knows no classes.
    """
    discriminator: nn.Module | None
    if state is not None:
        method, discriminator = state.method, state.discriminator
    else:
        fitted = fitted_recipe(sampler.recipe, sampler.transform)
        method = build_method(fitted, sampler.schema, seed=0)
        discriminator = _trained(method.discriminator, directory)
    schema = sampler.schema
    plain = method.together and not (
        schema.is_image or schema.size > 2 or sampler.recipe.conditional
    )
    return Run(
        name="" if directory is None else str(directory.path),
        report=report,
        sampler=sampler,
        source=source,
        log=log,
        config=config,
        surface=Surface(discriminator.to(sampler.device), sampler, method.output)
        if plain and discriminator is not None
        else None,
        output=method.output,
        moments=[] if directory is None else moments(directory),
    )


def draw(
    path: Path,
    values: NDArray[np.float64],
    sampler: Sampler,
    source: Source | None,
    config: RunConfig,
    label: Hashable | None,
) -> None:
    """Write a PNG of samples, (n, *shape), beside real ones where they can be had.

    Args:
        label: The samples' label, where they are of one.
    """
    data = config.data
    distribution = data.distribution if label is None else None
    of_class = None if label is None else sampler.schema.class_index(label)
    images = sampler.schema.is_image
    real = None if source is None or images else beside(source, len(values), of_class)
    of_label = "" if label is None else f", label {label}"
    seen = f"{sampler.samples_seen:,} samples seen"
    title = f"{data.name}, {sampler.recipe.name}{of_label}, {seen}"
    plots.draw(path, values, sampler.schema, data.limits, distribution, real, title)


def beside(source: Source, n: int, of_class: int | None) -> NDArray[np.float64] | None:
    """At most n held-out samples, (m, *shape), that generated ones are drawn beside: of
    one class, by its position, where that was asked for; None where none of them are to
    be had."""
    if of_class is None:
        return source.held_out(n, 0).double().numpy()
    found = source.labelled(max(n, HELD_OUT_MAX), 0, held_out=True)
    if found is None:
        return None
    real = found[0][found[1] == of_class][:n]
    return real.double().numpy() if len(real) else None


def moments(directory: RunDirectory) -> list[Path]:
    """The images of the samples through time, the first first."""
    return sorted(
        (path for path in directory.images.glob("*.png") if path.stem.isdecimal()),
        key=lambda path: int(path.stem),
    )


def _trained(discriminator: nn.Module, directory: RunDirectory | None) -> nn.Module | None:
    """D with the weights of the newest checkpoint; None where there is none that is
    whole."""
    if directory is None:
        return None
    try:
        tensors, _ = checkpoint.load_newest(directory.checkpoints, lambda _: None)
    except EquipoiseError:
        return None
    prefix = "discriminator."
    try:
        discriminator.load_state_dict(
            {
                name.removeprefix(prefix): value
                for name, value in tensors.items()
                if name.startswith(prefix)
            }
        )
    except RuntimeError:  # another's checkpoint
        return None
    return discriminator

"""Telling: what a page shows of a run, gathered from its directory or from a training in memory."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import nn

from equipoise import plots
from equipoise.data.opening import law_of
from equipoise.data.sources import HELD_OUT_MOST, Source
from equipoise.errors import EquipoiseError
from equipoise.page import Run
from equipoise.page.surfaces import Surface
from equipoise.recipes.method import Method
from equipoise.report import Report
from equipoise.training import checkpoint
from equipoise.training.rundir import RunDirectory
from equipoise.training.sampler import Sampler
from equipoise.training.state import build_method


def told(
    sampler: Sampler,
    source: Source | None,
    report: Report,
    log: Sequence[Mapping[str, Any]],
    config: Mapping[str, Any],
    directory: RunDirectory | None,
    method: Method | None,
) -> Run:
    """What the page of a run shows. `method` is the training's own; of a run that was loaded D comes from its newest checkpoint.
    Without a source, samples stand alone. D is drawn where it judges points one by one and knows no classes."""
    built = method or build_method(sampler.recipe, sampler.schema, seed=0)
    discriminator = built.discriminator if method is not None else _trained(built.discriminator, directory)
    schema = sampler.schema
    plain = built.together and not (schema.is_picture or schema.size > 2 or sampler.recipe.conditional)
    return Run(
        name="" if directory is None else str(directory.path),
        report=report,
        sampler=sampler,
        source=source,
        log=log,
        config=config,
        surface=Surface(discriminator.to(sampler.device), sampler, built.logits) if plain and discriminator is not None else None,
        meaning=built.logits,
        moments=[] if directory is None else moments(directory),
    )


def beside(source: Source, n: int, of_class: int | None) -> NDArray[np.float64] | None:
    """At most n held-out samples, (m, *shape), that generated ones are drawn beside: of one class, by its position, where that was asked
    for; None where none of them are to be had."""
    if of_class is None:
        return source.held_out(n, 0).double().numpy()
    found = source.labelled(max(n, HELD_OUT_MOST), 0, held_out=True)
    if found is None:
        return None
    real = found[0][found[1] == of_class][:n]
    return real.double().numpy() if len(real) else None


def draw_beside(
    path: Path,
    sampler: Sampler,
    values: NDArray[np.float64],
    described: Mapping[str, Any],
    source: Source | None,
    label: Hashable | None,
) -> None:
    """Draw samples, (N, *shape), beside held-out ones of the same `label`, where there are
    any. `described` is the data as config.json has it."""
    schema, law = sampler.schema, law_of(dict(described))
    of_class = None if label is None else schema.class_index(label)
    real = None if source is None or schema.is_picture else beside(source, len(values), of_class)
    of_label = "" if label is None else f", label {label}"
    title = f"{described['name']}, {sampler.recipe.name}{of_label}, {sampler.samples_seen:,} samples seen"
    limits = None if described["limits"] is None else (described["limits"][0], described["limits"][1])
    plots.draw(path, values, schema, limits, law if label is None else None, real, title)


def moments(directory: RunDirectory) -> list[Path]:
    """The pictures of the samples through time, the first first."""
    return sorted((path for path in directory.pictures.glob("*.png") if path.stem.isdecimal()), key=lambda path: int(path.stem))


def _trained(discriminator: nn.Module, directory: RunDirectory | None) -> nn.Module | None:
    """D with the weights of the newest checkpoint; None where there is none that is whole."""
    if directory is None:
        return None
    try:
        tensors, _ = checkpoint.load_newest(directory.checkpoints, lambda _: None)
    except EquipoiseError:
        return None
    prefix = "discriminator."
    try:
        discriminator.load_state_dict({name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)})
    except RuntimeError:  # another's checkpoint
        return None
    return discriminator

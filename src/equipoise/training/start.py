"""Start a training: open the data, check settings against it, create the run
directory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from equipoise.data.factory import open_source
from equipoise.data.sources import Source
from equipoise.errors import RequestError
from equipoise.recipes import DEFAULT, find
from equipoise.recipes.base import Recipe
from equipoise.runs import checkpoint
from equipoise.runs.directory import RunDirectory
from equipoise.runs.settings import RunSettings
from equipoise.runtime.process import torch_settings
from equipoise.training.request import Request
from equipoise.training.resume import resume
from equipoise.training.trainer import Trainer
from equipoise.training.warm_start import Weights, read


# One thread, so that clusters do not depend on the number of cores, and small steps do
# not wait for a busy core. Gradients, for the steps that memory is traced on.
@torch_settings(threads=1)
@torch.enable_grad()
def prepare(
    request: Request, *, resumes: bool = False, init_from: str | Path | Weights | None = None
) -> Trainer:
    """A trainer that is ready to run.

    Args:
        request: The user's arguments.
        resumes: Whether to resume the run in `request.out`.
        init_from: The weights of another training for a warm start, or the directory of
            its run.

    Raises:
        RequestError: Settings do not fit the data or each other. Nothing was written.
        EquipoiseError: Files of the run are damaged or missing.
    """
    if resumes and init_from is not None:
        raise RequestError(
            "resume and init_from: give one of them; a resumed run has weights of its own"
        )
    if resumes:
        return resume(request)
    settings = RunSettings(**request.run_settings)
    weights = read(Path(init_from)) if isinstance(init_from, str | Path) else init_from
    if request.data is None:
        raise RequestError(
            "fit needs data: an array, a DataFrame, a path or the name of a built-in source"
        )
    if request.out is not None:
        RunDirectory.check_free(request.out)
    source = open_source(
        request.data,
        request.labels,
        label_column=settings.label_column,
        memory_budget=settings.memory_budget,
        split_seed=settings.seed,
    )
    recipe_settings = request.recipe_settings
    if weights is None:
        recipe = _recipe(source, request.recipe or find(DEFAULT), recipe_settings)
        trainer = Trainer(source, recipe, settings, request.warn)
    else:
        recipe = weights.recipe_for(source, request.recipe, recipe_settings)
        trainer = _warm(weights, source, recipe, settings, request)
        recipe_settings = {**weights.requested, **recipe_settings}
    trainer.requested = {"recipe": recipe_settings, "run": request.run_settings}
    if request.to_disk:
        _keep(trainer, request.out, with_weights=weights is not None)
    return trainer


def _keep(trainer: Trainer, out: Path | None, *, with_weights: bool) -> None:
    """Create the run directory. The weights of a warm start are saved at once, since
    the run could not be resumed without them."""
    directory = RunDirectory.create(out, f"{trainer.source.name}-{trainer.recipe.name}")
    try:
        trainer.keep_in(directory)
        if with_weights:
            checkpoint.save(trainer.state, directory.checkpoints)
    except BaseException:
        directory.discard()
        raise


def _warm(
    weights: Weights, source: Source, recipe: Recipe, settings: RunSettings, request: Request
) -> Trainer:
    """A trainer for a warm start from these weights, with their transforms."""
    transform = weights.transform_for(source, settings.seed)
    trainer = Trainer(source, recipe, settings, request.warn, transform=transform)
    weights.load_into_trainer(trainer)
    trainer.init_from = weights.origin()
    source.notes.append(weights.summary())
    if source.labels_given and not recipe.conditional:
        source.notes.append(f"the labels are not used: {weights.name} was trained without")
    return trainer


def _recipe(source: Source, recipe: type[Recipe], choices: dict[str, Any]) -> Recipe:
    """The recipe for this data; conditional by default if labels were given and it
    takes labels."""
    if choices.get("conditional") is None:
        labelled = source.labels_given or (
            recipe.needs_labels and source.schema.classes is not None
        )
        choices = {**choices, "conditional": labelled and recipe.takes_labels}
        if labelled and not recipe.takes_labels:
            source.notes.append(f"the labels are not used: {recipe.name} does not take labels")
    return recipe.for_data(source.schema, choices)

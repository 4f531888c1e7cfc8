"""Starting a training: the data is opened, settings are checked against it, and the run
directory is made."""

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
from equipoise.runs.config import Requested
from equipoise.runs.directory import RunDirectory
from equipoise.runs.settings import RunSettings
from equipoise.runtime.process import torch_settings
from equipoise.runtime.ranks import Ranks
from equipoise.training.request import Request
from equipoise.training.resume import resume
from equipoise.training.sharing import check_shared, check_start
from equipoise.training.trainer import Trainer
from equipoise.training.warm_start import Weights, read
from equipoise.transforms.fitting import channels_are_independent

SHOWN = 5  # classes that are listed


# One thread, so that clusters do not depend on the number of cores, nor small steps
# wait for a busy one. Gradients for the steps that memory is predicted from.
@torch_settings(threads=1)
@torch.enable_grad()
def prepare(
    request: Request, *, resumes: bool = False, init_from: str | Path | Weights | None = None
) -> Trainer:
    """A trainer that is ready to train, or to go on.

    Args:
        request: What the user asks for.
        resumes: Whether to go on with the run in `request.out`.
        init_from: The weights of another training to start from, or the directory of
            its run.

    Raises:
        RequestError: Settings do not fit the data or one another. Nothing has been
            written then.
        EquipoiseError: Files of the run are damaged or missing.
    """
    if resumes and init_from is not None:
        raise RequestError(
            "resume and init_from: give one of them; a resumed run has weights of its own"
        )
    ranks = Ranks.current()
    check_start(ranks, resumes=resumes, warm=init_from is not None)
    if resumes:
        return resume(request)
    settings = RunSettings(**request.settings.run)
    with ranks.failing_together():
        weights = (
            read(Path(init_from), request.recorded)
            if isinstance(init_from, str | Path)
            else init_from
        )
        source = _source(request, settings, ranks)
        if weights is None:
            kind, choices = request.recipe or find(DEFAULT), request.settings.recipe
            recipe = _recipe(source, kind, choices, settings.seed)
        else:
            recipe = weights.recipe_for(source, request.recipe, request.settings.recipe)
    check_shared(ranks, source, recipe, settings)
    if weights is None:
        trainer = Trainer(
            source, recipe, settings, request.warn, requested=request.settings, ranks=ranks
        )
    else:
        trainer = _warm(weights, source, recipe, settings, request, ranks)
    with ranks.failing_together():
        if request.to_disk and ranks.is_main:
            _keep(trainer, request.out, with_weights=weights is not None)
    return trainer


def _source(request: Request, settings: RunSettings, ranks: Ranks) -> Source:
    """The data, where there is any and a place for the run."""
    if request.data is None:
        raise RequestError(
            "fit needs data: an array, a DataFrame, a path or the name of a built-in source"
        )
    if request.out is not None and ranks.is_main:
        RunDirectory.check_free(request.out)
    return open_source(
        request.data,
        request.labels,
        label_column=settings.label_column,
        memory_budget=settings.memory_budget,
        split_seed=settings.seed_of_split,
        overrides=settings.columns_by_name,
        constraints=settings.constraints,
        images=settings.images,
        roles=settings.roles,
    )


def _keep(trainer: Trainer, out: Path | None, *, with_weights: bool) -> None:
    """Make the run directory. Weights of another training are saved at once, since
    nothing else could give them again."""
    directory = RunDirectory.create(out, f"{trainer.source.name}-{trainer.recipe.name}")
    try:
        trainer.keep_in(directory)
        if with_weights:
            checkpoint.save(trainer.state, directory.checkpoints)
    except BaseException:
        directory.discard()
        raise


def _warm(
    weights: Weights,
    source: Source,
    recipe: Recipe,
    settings: RunSettings,
    request: Request,
    ranks: Ranks,
) -> Trainer:
    """A trainer that starts from these weights, in their transform."""
    source.notes.append(weights.summary())
    if source.labels_given and not recipe.conditional:
        source.notes.append(f"the labels are not used: {weights.name} was trained without")
    trainer = Trainer(
        source,
        recipe,
        settings,
        request.warn,
        requested=Requested({**weights.requested, **request.settings.recipe}, request.settings.run),
        transform=weights.transform_for(source, settings.seed),
        init_from=weights.origin(),
        ranks=ranks,
    )
    weights.load_into_trainer(trainer)
    trainer.state.synchronise()
    return trainer


def _recipe(source: Source, recipe: type[Recipe], choices: dict[str, Any], seed: int) -> Recipe:
    """The recipe for this data, conditional where labels were handed over and it can
    learn them, and with clusters of each channel where channels are independent."""
    if choices.get("conditional") is None:
        labelled = source.labels_given or (
            recipe.needs_labels and source.schema.classes is not None
        )
        choices = {**choices, "conditional": labelled and recipe.takes_labels}
        if labelled and not recipe.takes_labels:
            source.notes.append(f"the labels are not used: {recipe.name} does not take labels")
        elif not labelled and source.labels_found:
            source.notes += _note_on_classes(source, recipe)
    if _asks_about_channels(source, recipe, choices):
        choices = {**choices, "per_channel_clusters": channels_are_independent(source, seed)}
    made = recipe.for_data(source.schema, choices)
    source.notes += made.notes(source.schema)
    return made


def _asks_about_channels(source: Source, recipe: type[Recipe], choices: dict[str, Any]) -> bool:
    """Whether the recipe clusters each channel by itself where channels are
    independent, and the user's choices leave that open."""
    schema = source.schema
    wanted = choices.get("per_channel_clusters", recipe.per_channel_clusters) is None
    return (
        wanted
        and schema.is_image
        and schema.shape[0] > 1
        and not choices["conditional"]
        and choices.get("clusters") not in (0, 1)
    )


def _note_on_classes(source: Source, recipe: type[Recipe]) -> list[str]:
    """That data has classes which are not learned, and what to type to learn them."""
    classes, counts = source.schema.classes, source.schema.class_counts
    if classes is None or counts is None:
        return []
    listed = ", ".join(
        f"{label} {count:,}" for label, count in [*zip(classes, counts, strict=True)][:SHOWN]
    )
    more = ", ..." if len(classes) > SHOWN else ""
    how = "type --conditional (in Python conditional=True)"
    if not recipe.takes_labels:
        how = f"type --recipe {DEFAULT} --conditional"
    return [f"{len(classes)} classes ({listed}{more}) are not learned: to learn them {how}"]

"""Starting: from what the user chose to a fit that is ready to train."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from equipoise.data.arrays import Labels
from equipoise.data.factory import open_source
from equipoise.data.sources import Source
from equipoise.errors import RequestError
from equipoise.recipes import DEFAULT, find
from equipoise.recipes.base import Recipe
from equipoise.runs import checkpoint
from equipoise.runs.directory import RunDirectory
from equipoise.runs.settings import RunSettings
from equipoise.runtime.process import at_work
from equipoise.training import resuming
from equipoise.training.fitting import Fit
from equipoise.training.warm_start import Weights, read


# One thread, so that modes do not depend on the number of cores, nor small steps wait
# for a busy one. Gradients as in `ending.train_to_end`, for the step that memory is
# predicted from, and for those that a stopwatch times.
@at_work(threads=1)
@torch.enable_grad()
def prepare(
    data: Any,
    labels: Labels | None,
    recipe: type[Recipe] | None,
    choices: dict[str, Any],
    run_choices: dict[str, Any],
    *,
    out: Path | None,
    to_disk: bool,
    resume: bool,
    init_from: str | Path | Weights | None,
    warn: Callable[[str], None],
) -> Fit:
    """A fit ready to train, or to go on.

    Args:
        data: What to train on; None only where the run that is resumed knows it.
        labels: Of the data, where they are handed over.
        recipe: The recipe that the user names, if any.
        choices: What the user set of the recipe.
        run_choices: What the user set of the run.
        out: The run's directory, if it is to have a certain one.
        to_disk: Whether to keep the run.
        resume: Whether to go on with the run in `out`.
        init_from: The weights of another training to
            start from, or the directory of its run.
        warn: Is told of what should be known.

    Raises:
        RequestError: They do not fit the data or one
            another; nothing has been written then.
    """
    if resume and init_from is not None:
        raise RequestError(
            "resume and init_from: give one of them; a run that is resumed has weights of its own"
        )
    if resume:
        return resuming.prepare(data, labels, recipe, choices, run_choices, out=out, warn=warn)
    run = RunSettings(**run_choices)
    weights = read(Path(init_from)) if isinstance(init_from, str | Path) else init_from
    if data is None:
        raise RequestError(
            "fit needs data: an array, a DataFrame, a path or the name of a built-in source"
        )
    if out is not None:
        RunDirectory.refuse_taken(out)
    source = open_source(
        data,
        labels,
        label_column=run.label_column,
        memory_budget=run.memory_budget,
        split_seed=run.seed,
    )
    if weights is None:
        training = Fit(source, _recipe(source, recipe or find(DEFAULT), choices), run, None, warn)
    else:
        chosen = weights.recipe_for(source, recipe, choices)
        training = _warm(weights, source, chosen, run, warn)
        choices = {**weights.requested, **choices}
    training.requested = {"recipe": choices, "run": run_choices}
    if to_disk:
        directory = RunDirectory.create(out, f"{source.name}-{training.recipe.name}")
        try:
            training.keep_in(directory)
            if weights is not None:  # nothing else could give them again
                checkpoint.save(training.state, directory.checkpoints)
        except BaseException:
            directory.discard()
            raise
    return training


def _warm(
    weights: Weights,
    source: Source,
    recipe: Recipe,
    run: RunSettings,
    warn: Callable[[str], None],
) -> Fit:
    """A fit that has these weights and goes on in their space."""
    training = Fit(source, recipe, run, None, warn, weights.transform_for(source, run.seed))
    weights.put_into(training)
    training.init_from = weights.described()
    source.notes.append(weights.told())
    if source.labels_given and not recipe.conditional:
        source.notes.append(f"the labels are not used: {weights.name} learned none")
    return training


def _recipe(source: Source, recipe: type[Recipe], choices: dict[str, Any]) -> Recipe:
    """The recipe for this data, conditional where
    labels were handed over and it can learn them."""
    if choices.get("conditional") is None:
        labelled = source.labels_given or (
            recipe.needs_labels and source.schema.classes is not None
        )
        choices = {**choices, "conditional": labelled and recipe.takes_labels}
        if labelled and not recipe.takes_labels:
            source.notes.append(f"the labels are not used: {recipe.name} learns without")
    return recipe.for_data(source.schema, choices)

"""Starting: from what the user chose to a fit that is ready to train, or to go on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from equipoise.data.sources import Source
from equipoise.errors import RequestError
from equipoise.fitting import Fit
from equipoise.recipes import DEFAULT, find
from equipoise.recipes.base import Recipe
from equipoise.training.process import at_work
from equipoise.training.rundir import RunDirectory, differences
from equipoise.training.sampler import recipe_from
from equipoise.training.settings import CHANGEABLE, RunSettings, resumed


@at_work(threads=1)  # so that modes do not depend on the number of cores, nor small steps wait for a busy one
@torch.enable_grad()  # as `ending.train_to_end`, for the step that memory is predicted from, and for those that a stopwatch times
def prepare(
    source: Source,
    recipe: type[Recipe] | None,
    choices: dict[str, Any],
    run_choices: dict[str, Any],
    *,
    out: Path | None,
    to_disk: bool,
    resume: bool,
    warn: Callable[[str], None],
) -> Fit:
    """A fit ready to train. `choices` and `run_choices` are what the user set of the recipe and of the run.

    Raises RequestError where they do not fit the data, or the run that is resumed, naming the fields that differ; nothing has been
    written then.
    """
    if resume:
        if out is None:
            raise RequestError("resume needs out: the directory of the run to go on with")
        directory = RunDirectory.existing(out)
        directory.lock()
        try:
            training = Fit(source, *_recorded(directory, source, recipe, choices, run_choices), directory, warn)
            training.resume()
        except BaseException:
            directory.unlock()
            raise
        return training
    recipe = recipe or find(DEFAULT)
    if choices.get("conditional") is None:
        labelled = source.labels_given or (recipe.needs_labels and source.schema.classes is not None)
        choices = {**choices, "conditional": labelled and recipe.takes_labels}
        if labelled and not recipe.takes_labels:
            source.notes.append(f"the labels are not used: {recipe.name} learns without")
    training = Fit(source, recipe.for_data(source.schema, choices), RunSettings(**run_choices), None, warn)
    if to_disk:
        directory = RunDirectory.create(out, f"{source.name}-{training.recipe.name}")
        try:
            training.keep_in(directory)
        except BaseException:
            directory.discard()
            raise
    return training


def _recorded(
    directory: RunDirectory, source: Source, recipe: type[Recipe] | None, choices: dict[str, Any], run_choices: dict[str, Any]
) -> tuple[Recipe, RunSettings]:
    """The recipe and settings of the run in `directory`, with those that may change as given now."""
    config = directory.read_config()
    stored, run = config["recipe"], config["run"]
    differ = differences(stored, {"name": recipe.name} if recipe is not None else {}, ())
    differ = [text.replace("name:", "recipe:") for text in differ] or differences(stored, choices, ())
    differ += differences(run, run_choices, CHANGEABLE)
    data = source.describe()
    differ += differences(config["data"].get("law", {}), data.get("law", {}), ())
    if differ:
        raise RequestError(
            f"{directory.path} was trained with other settings ({'; '.join(differ)}): leave them out to resume, or train anew"
        )
    if source.repeats and config["data"]["fingerprint"] != source.fingerprint:
        raise RequestError(
            f"{directory.path} was trained on other data: {config['data']['name']} is not, or no longer, what it was, or comes in another "
            "order; give the data that it was trained on, or train anew"
        )
    return recipe_from(stored), resumed(run, run_choices)

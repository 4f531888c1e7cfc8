"""Resuming: a run goes on where it was, with the
data and the settings that it was trained with."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

from equipoise.data.arrays import Labels
from equipoise.data.distributions import Distribution, distribution_settings
from equipoise.data.factory import distribution_of, open_source
from equipoise.data.sources import Source
from equipoise.diagnosis.timing import seconds_for
from equipoise.errors import EquipoiseError, RequestError, first_line
from equipoise.recipes._building import recipe_from
from equipoise.recipes.base import Recipe
from equipoise.runs import checkpoint
from equipoise.runs.command_line import typed
from equipoise.runs.directory import RunDirectory, differences
from equipoise.runs.serialization import DamagedFileError
from equipoise.runs.settings import CHANGEABLE, RunSettings, resumed
from equipoise.training.fitting import Fit
from equipoise.training.loop import EARLY
from equipoise.transforms.fitting import Space, empty_clustering
from equipoise.transforms.scaling import Scaling
from equipoise.utils.formatting import about, spoken

LENGTHS = ("samples", "minutes")


def prepare(
    data: Any,
    labels: Labels | None,
    recipe: type[Recipe] | None,
    choices: dict[str, Any],
    run_choices: dict[str, Any],
    *,
    out: Path | None,
    warn: Callable[[str], None],
) -> Fit:
    """The training of the run in `out`, at its newest whole checkpoint.

    Args:
        data: What it was trained on; None where that can be opened again.
        labels: Those that it was trained with, if they were handed over.
        recipe: The recipe that the user names, if any; it must be the run's.
        choices: What the user set of the recipe; it must be as in the run.
        run_choices: What the user set of the run; some of it may change.
        out: The run's directory.
        warn: Is told of what should be known.

    Raises:
        RequestError: Settings or data are not the run's, which names them, or it
            is to be shorter than it is already. Nothing has been written then.
        EquipoiseError: The run's files are damaged or missing.
    """
    if out is None:
        raise RequestError("resume needs out: the directory of the run to go on with")
    directory = RunDirectory.existing(out)
    config = directory.read_config()
    _refuse_other_settings(out, config, recipe, choices, run_choices, data)
    run = resumed(config["run"], run_choices)
    source = _source(out, config, data, labels, run)
    _refuse_other_data(out, config, source)
    directory.lock()
    try:
        settings = recipe_from(config["recipe"])
        training = Fit(
            source, settings, run, directory, warn, _inherited(directory, config, settings, source)
        )
        training.resumed, training.init_from = True, config["init_from"]
        training.requested = _requested(config["requested"], choices, run_choices)
        _go_back(training, config, run_choices)
    except BaseException:
        directory.unlock()
        raise
    return training


def is_finished(training: Fit) -> bool:
    """Whether a training that was resumed has nothing left to do."""
    state, plan = training.state, training.plan
    if plan.samples is not None:
        return state.samples_seen >= plan.samples
    limit = (plan.run.minutes or 0) * 60
    ended = (
        state.minutes == plan.run.minutes
        and state.horizon is not None
        and state.samples_seen >= state.horizon
    )
    return state.seconds >= limit or (ended and state.seconds >= EARLY * limit)


def notes(training: Fit) -> list[str]:
    """What the caller of `fit` should know of a
    training that begins or goes on: a line each."""
    finished = [told(training)] if training.resumed and is_finished(training) else []
    return [*training.source.notes, *finished]


def told(training: Fit) -> str:
    """Where a resumed training goes on from, in a line;
    or that it is finished, and what to type for more."""
    state, samples, minutes = training.state, training.plan.samples, training.run.minutes
    seen = f"{state.samples_seen:,} samples"
    if not is_finished(training):
        if samples is not None:
            return f"going on from {state.samples_seen:,} of {samples:,} samples"
        return f"going on from {spoken(state.seconds)} of {minutes:g} minutes, {seen} seen"
    if samples is not None:
        return (
            f"finished: {seen} seen; to train longer: {_longer(training, 'samples', 2 * samples)}"
        )
    used = (
        f"{spoken(state.seconds)} of {minutes:g} minutes used, {seen} seen; minutes are the total"
    )
    return f"finished: {used}; to train longer: {_longer(training, 'minutes', 2 * (minutes or 0))}"


def _longer(training: Fit, length: str, value: float) -> str:
    """What to type to train so long in all, and about how long that will take."""
    assert training.directory is not None, "only a directory can be resumed"
    run = str(training.directory.path)
    if typed(training.config()):
        command = f"equipoise train --resume {shlex.quote(run)} --{length} {value:.15g}"
    else:
        command = f"GAN({length}={value:.15g}).fit(data, out={run!r}, resume=True)"
    seconds = (
        seconds_for(round(value) - training.state.samples_seen, training.log)
        if length == "samples"
        else None
    )
    return command if seconds is None else f"{command} ({about(seconds)})"


def _refuse_other_settings(
    run: Path,
    config: dict[str, Any],
    recipe: type[Recipe] | None,
    choices: dict[str, Any],
    run_choices: dict[str, Any],
    data: Any,
) -> None:
    """Raises:
    RequestError: Where a setting that was given, those of a distribution among
        them, is not the run's, and is none that may change."""
    differ = differences(config["recipe"], {"name": recipe.name} if recipe is not None else {}, ())
    differ = [text.replace("name:", "recipe:") for text in differ] or differences(
        config["recipe"], choices, ()
    )
    differ += differences(config["run"], run_choices, CHANGEABLE)
    if isinstance(data, Distribution) and data.name == config["data"]["name"]:
        differ += differences(
            config["data"].get("distribution", {}), distribution_settings(data), ()
        )
    if differ:
        raise RequestError(
            f"{run} was trained with other settings ({'; '.join(differ)}): leave them out to "
            "resume, or train anew"
        )


def _source(
    run: Path,
    config: dict[str, Any],
    data: Any,
    labels: Labels | None,
    settings: RunSettings,
) -> Source:
    """The data: what was given, or what the run knows where nothing was."""
    described = config["data"]
    distribution = distribution_of(described)
    if data is None:
        if distribution is None and (described["origin"] is None or described["labels_in_python"]):
            what = (
                _shown(described)
                if described["origin"] is None
                else f"labels for {_shown(described)}"
            )
            given = (
                "fit(data, labels, out=..., resume=True)"
                if described["labels_in_python"]
                else "fit(data, out=..., resume=True)"
            )
            raise RequestError(
                f"{run} was trained on {what} that came in Python: give the same again, by {given}"
            )
        data = described["origin"]
    if distribution is not None and (
        data is None or (isinstance(data, str) and data in (described["name"], described["origin"]))
    ):
        data = distribution  # with the settings that it had
    try:
        return open_source(
            data,
            labels,
            label_column=settings.label_column,
            memory_budget=settings.memory_budget,
            split_seed=settings.seed,
        )
    except RequestError as error:
        if data is not described["origin"]:
            raise
        raise RequestError(
            f"{run} was trained on {data}, which cannot be read now: {error}"
        ) from None


def _refuse_other_data(run: Path, config: dict[str, Any], source: Source) -> None:
    """Raises:
    RequestError: Where the source is not the data that the run was trained on."""
    described, given = config["data"], source.describe()
    if not source.repeats or described["fingerprint"] == source.fingerprint:
        return
    old, new = _shown(described), _shown(given)
    same = "give the same data, or start a new run"
    if described["name"] != given["name"] or (described["origin"] is None) != (
        given["origin"] is None
    ):
        raise RequestError(f"{run} was trained on {old}, but you gave {new}: {same}")
    if described["labels_in_python"] and not given["labels_in_python"]:
        raise RequestError(
            f"{run} was trained on {old} with labels that came in Python: give them again, or "
            "start a new run"
        )
    if described["origin"] is None:
        raise RequestError(
            f"{run} was trained on {old} of other values, or in another order: {same}"
        )
    raise RequestError(
        f"{run} was trained on {old}, which has changed since, or comes in another order: {same}"
    )


def _shown(described: dict[str, Any]) -> str:
    """The data as a person calls it."""
    if described["origin"] is not None:
        return Path(described["origin"]).name
    name: str = described["name"]
    return name if "distribution" in described else f"{'an' if name == 'array' else 'a'} {name}"


def _inherited(
    directory: RunDirectory,
    config: dict[str, Any],
    recipe: Recipe,
    source: Source,
) -> Space | None:
    """The space of a run that started from another one's weights, in whose
    space it stays; None for any other, whose space its data gives."""
    if config["init_from"] is None:
        return None
    if not checkpoint.checkpoints(directory.checkpoints):
        raise EquipoiseError(
            f"{directory.path} cannot be resumed: the checkpoint with the weights that it "
            "started from is missing; start it anew"
        )
    try:
        scaling = Scaling.from_dict(config.get("scaling") or {})
        if len(scaling.shift) != (1 if source.schema.is_image else source.schema.size):
            raise RequestError("its scaling is not of its data")
        clustering = empty_clustering(
            source.schema,
            recipe.clusters or 0,
            recipe.labels(source.schema),
            recipe.apart(source.schema),
        )
        if clustering is not None:
            tensors, _ = checkpoint.load_newest(directory.checkpoints, lambda _: None)
            clustering.load_state_dict(
                {
                    n.removeprefix("clustering."): value
                    for n, value in tensors.items()
                    if n.startswith("clustering.")
                }
            )
    except (RequestError, AttributeError, TypeError, RuntimeError) as error:
        raise DamagedFileError(
            f"{directory.config_file} is not what was written: {first_line(error)}"
        ) from None
    return Space(scaling, clustering)


def _requested(
    recorded: dict[str, Any],
    choices: dict[str, Any],
    run_choices: dict[str, Any],
) -> dict[str, dict[str, Any]]:
    """What the user set, when the run began and
    now; a new length replaces the old one."""
    dropped = LENGTHS if run_choices.keys() & set(LENGTHS) else ()
    run = {name: value for name, value in recorded["run"].items() if name not in dropped}
    return {"recipe": {**recorded["recipe"], **choices}, "run": {**run, **run_choices}}


def _go_back(training: Fit, config: dict[str, Any], run_choices: dict[str, Any]) -> None:
    """Go back to the newest whole checkpoint of the directory;
    to the start if it was stopped before its first."""
    directory = training.directory
    assert directory is not None, "only a directory can be resumed"
    training.described = config["data"]
    if not checkpoint.checkpoints(directory.checkpoints):
        directory.begin_again(training.config())
        directory.sweep()
        return training.warn(f"{directory.path} has no checkpoint yet: starting from the beginning")
    tensors, scalars = checkpoint.load_newest(directory.checkpoints, training.warn)
    try:
        training.state.restore(tensors, scalars)
    except (KeyError, RuntimeError, ValueError, TypeError, IndexError) as error:
        why = first_line(error)
        raise EquipoiseError(
            f"{directory.path} cannot be resumed: its checkpoint does not fit its config ({why})"
        ) from None
    _refuse_shorter(training, run_choices)
    directory.sweep()
    training.log = [
        line
        for line in directory.read_log(training.warn)
        if line["samples_seen"] <= training.state.samples_seen
    ]
    if training.run.stop_when != config["run"]["stop_when"]:
        _evaluate_anew(training)
    directory.write_config(training.config())
    directory.write_log(training.log)
    if training.run.stop_when == config["run"]["stop_when"]:
        training.watch.replay(training.log)
    else:  # until now it was measured on samples that are to judge the generator that is chosen
        training.state.best = None
    training.restore_sampler()


def _evaluate_anew(training: Fit) -> None:
    """With early stopping, metrics while training are taken on the validation split,
    without it on all that is held out: those before say nothing of those to come, and
    the best of them was not chosen on that split."""
    state = training.state
    floors = {"floors": dict(training.watch.floors), "evaluated_samples": training.quick_suite.n}
    training.log.append(
        {"samples_seen": state.samples_seen, "seconds": round(state.seconds, 3), **floors}
    )
    state.best = None


def _refuse_shorter(training: Fit, run_choices: dict[str, Any]) -> None:
    """Raises:
    RequestError: Where the user gives a length that the run is beyond already."""
    assert training.directory is not None, "only a directory can be resumed"
    state, path = training.state, training.directory.path
    samples, minutes = run_choices.get("samples"), run_choices.get("minutes")
    # The last step may reach beyond the length.
    step = training.recipe.batch_size * training.recipe.discriminator_steps
    if samples is not None and samples <= state.samples_seen - step:
        raise RequestError(
            f"samples = {samples} is the total, and {path} has seen {state.samples_seen} "
            "already: give more than that"
        )
    if minutes is not None and minutes * 60 < EARLY * state.seconds:
        raise RequestError(
            f"minutes = {minutes:g} is the total, and {path} has trained for "
            f"{state.seconds / 60:.3g} already: give more than that"
        )

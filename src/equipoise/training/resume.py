"""Resume a run from its newest checkpoint, with its own data and settings."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from equipoise.data.distributions import Distribution, distribution_settings
from equipoise.data.factory import distribution_of, open_source
from equipoise.data.sources import Source
from equipoise.diagnosis.timing import seconds_for
from equipoise.errors import EquipoiseError, RequestError, first_line
from equipoise.recipes._building import recipe_from
from equipoise.runs import checkpoint
from equipoise.runs.command_line import data_arguments
from equipoise.runs.directory import RunDirectory, differences
from equipoise.runs.generator import is_saved, module_tensors, save_generator
from equipoise.runs.settings import CHANGEABLE, RunSettings, resumed
from equipoise.training.loop import MIN_RUN_FRACTION
from equipoise.training.request import Request
from equipoise.training.resume_log import has_reached_length, restore_log
from equipoise.training.trainer import Trainer
from equipoise.transforms.chain import Chain
from equipoise.utils.formatting import about, spoken

LENGTHS = ("samples", "minutes")


def resume(request: Request) -> Trainer:
    """The trainer of the run in `request.out`, at its newest undamaged checkpoint.

    Args:
        request: Settings must equal the run's, except those in
            `runs.settings.CHANGEABLE`. Data may be None if the run can open it again.

    Raises:
        RequestError: Settings or data differ from the run's, or the new length is less
            than the run has trained already. Nothing was written.
        EquipoiseError: The run's files are damaged or missing.
    """
    if request.out is None:
        raise RequestError("resume needs out: give the directory of the run to resume")
    directory = RunDirectory.existing(request.out)
    config = directory.read_config()
    _check_settings(request.out, config, request)
    settings = resumed(config["run"], request.run_settings)
    source = _source(request.out, config, request, settings)
    _check_data(request.out, config, source)
    directory.lock()
    try:
        moment = _newest_checkpoint(directory, config, request.warn)
        transform = None
        if moment is not None:
            transform = _transform(directory.path, config, source, moment)
        recipe = recipe_from(config["recipe"])
        trainer = Trainer(source, recipe, settings, request.warn, directory, transform)
        trainer.resumed, trainer.init_from = True, config["init_from"]
        trainer.requested = _requested(config["requested"], request)
        _restore(trainer, config, request.run_settings, moment)
    except BaseException:
        directory.unlock()
        raise
    return trainer


def is_finished(trainer: Trainer) -> bool:
    """Whether a resumed training has no steps left."""
    return trainer.stopped_early or has_reached_length(trainer)


def notes(trainer: Trainer) -> list[str]:
    """The notes on a training before it starts, one line each: on its data, and that a
    resumed run is finished."""
    finished = [status_line(trainer)] if trainer.resumed and is_finished(trainer) else []
    return [*trainer.source.notes, *finished]


def status_line(trainer: Trainer) -> str:
    """The progress of a resumed training in one line; if it is finished, with the
    command for a longer one."""
    state, samples, minutes = trainer.state, trainer.plan.samples, trainer.settings.minutes
    seen = f"{state.samples_seen:,} samples"
    if not is_finished(trainer):
        if samples is not None:
            return f"resuming at {state.samples_seen:,} of {samples:,} samples"
        return f"resuming at {spoken(state.seconds)} of {minutes:g} minutes, {seen} seen"
    seen += " seen until the metric no longer improved" if trainer.stopped_early else " seen"
    if samples is not None:
        return (
            f"finished: {seen}; to train longer: {_longer_command(trainer, 'samples', 2 * samples)}"
        )
    used = f"{spoken(state.seconds)} of {minutes:g} minutes used, {seen}; minutes are the total"
    command = _longer_command(trainer, "minutes", 2 * (minutes or 0))
    return f"finished: {used}; to train longer: {command}"


def _longer_command(trainer: Trainer, length: str, value: float) -> str:
    """The command to train to a larger total, with an estimate of the time."""
    assert trainer.directory is not None, "only a directory can be resumed"
    run = str(trainer.directory.path)
    if data_arguments(trainer.config()):
        command = f"equipoise train --resume {shlex.quote(run)} --{length} {value:.15g}"
    else:
        command = f"GAN({length}={value:.15g}).fit(data, out={run!r}, resume=True)"
    seconds = (
        seconds_for(round(value) - trainer.state.samples_seen, trainer.log)
        if length == "samples"
        else None
    )
    return command if seconds is None else f"{command} ({about(seconds)})"


def _check_settings(run: Path, config: dict[str, Any], request: Request) -> None:
    """Check that given settings, also of a distribution, equal the run's.

    Raises:
        RequestError: A setting differs, and is not one that may change.
    """
    recipe, data = request.recipe, request.data
    differ = differences(config["recipe"], {"name": recipe.name} if recipe is not None else {}, ())
    differ = [text.replace("name:", "recipe:") for text in differ] or differences(
        config["recipe"], request.recipe_settings, ()
    )
    differ += differences(config["run"], request.run_settings, CHANGEABLE)
    if isinstance(data, Distribution) and data.name == config["data"]["name"]:
        recorded = config["data"].get("distribution", {})
        differ += differences(recorded, distribution_settings(data), ())
    if differ:
        raise RequestError(
            f"{run} was trained with other settings ({'; '.join(differ)}): leave them out to "
            "resume, or start a new run"
        )


def _source(run: Path, config: dict[str, Any], request: Request, settings: RunSettings) -> Source:
    """The given data, or else the run's own."""
    data, labels = request.data, request.labels
    described = config["data"]
    distribution = distribution_of(described)
    if data is None:
        if distribution is None and (described["origin"] is None or described["labels_in_python"]):
            what = (
                _data_name(described)
                if described["origin"] is None
                else f"labels for {_data_name(described)}"
            )
            given = (
                "fit(data, labels, out=..., resume=True)"
                if described["labels_in_python"]
                else "fit(data, out=..., resume=True)"
            )
            raise RequestError(
                f"{run} was trained on {what} passed in Python: pass the same again, with {given}"
            )
        data = described["origin"]
    if distribution is not None and (
        data is None or (isinstance(data, str) and data in (described["name"], described["origin"]))
    ):
        data = distribution  # with its recorded settings
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


def _check_data(run: Path, config: dict[str, Any], source: Source) -> None:
    """Check that the source is the data that the run was trained on.

    Raises:
        RequestError: If not.
    """
    described, given = config["data"], source.describe()
    if not source.repeats or described["fingerprint"] == source.fingerprint:
        return
    old, new = _data_name(described), _data_name(given)
    same = "give the same data, or start a new run"
    if described["name"] != given["name"] or (described["origin"] is None) != (
        given["origin"] is None
    ):
        raise RequestError(f"{run} was trained on {old}, but you gave {new}: {same}")
    if described["labels_in_python"] and not given["labels_in_python"]:
        raise RequestError(
            f"{run} was trained on {old} with labels passed in Python: pass them again, or "
            "start a new run"
        )
    if described["origin"] is None:
        raise RequestError(f"{run} was trained on {old} with other values or another order: {same}")
    raise RequestError(
        f"{run} was trained on {old}, which has changed, or is in another order: {same}"
    )


def _data_name(described: dict[str, Any]) -> str:
    """The data's name in messages."""
    if described["origin"] is not None:
        return Path(described["origin"]).name
    name: str = described["name"]
    return name if "distribution" in described else f"{'an' if name == 'array' else 'a'} {name}"


def _transform(
    path: Path, config: dict[str, Any], source: Source, moment: checkpoint.Moment
) -> Chain:
    """The run's transforms, from its config and a checkpoint.

    Raises:
        EquipoiseError: Where these do not fit.
    """
    try:
        with torch.device("meta"):
            outline = Chain.from_config(source.schema, config.get("transform"))
        stored = module_tensors("transform", moment[0])
        if {n: t.shape for n, t in outline.state_dict().items()} != {
            n: t.shape for n, t in stored.items()
        }:
            raise RequestError("its transforms have other shapes")
        transform = Chain.from_config(source.schema, config.get("transform"))
        transform.load_state_dict(stored)
        transform.check()
    except (RequestError, TypeError, RuntimeError) as error:
        raise EquipoiseError(
            f"{path} cannot be resumed: its checkpoint does not fit its config "
            f"({first_line(error)})"
        ) from None
    return transform


def _requested(recorded: dict[str, Any], request: Request) -> dict[str, dict[str, Any]]:
    """The settings that the user set, at the start and now. A new length replaces the
    old one."""
    now = request.run_settings
    dropped = LENGTHS if now.keys() & set(LENGTHS) else ()
    run = {name: value for name, value in recorded["run"].items() if name not in dropped}
    return {"recipe": {**recorded["recipe"], **request.recipe_settings}, "run": {**run, **now}}


def _newest_checkpoint(
    directory: RunDirectory, config: dict[str, Any], warn: Callable[[str], None]
) -> checkpoint.Moment | None:
    """The newest undamaged checkpoint; None for a run stopped before its first."""
    if checkpoint.checkpoints(directory.checkpoints):
        return checkpoint.load_newest(directory.checkpoints, warn)
    if config["init_from"] is not None:
        raise EquipoiseError(
            f"{directory.path} cannot be resumed: the checkpoint with its initial weights is "
            "missing; start a new run"
        )
    return None


def _restore(
    trainer: Trainer,
    config: dict[str, Any],
    run_choices: dict[str, Any],
    moment: checkpoint.Moment | None,
) -> None:
    """Restore a checkpoint, or the start where there is none."""
    directory = trainer.directory
    assert directory is not None, "only a directory can be resumed"
    trainer.described = config["data"]
    if moment is None:
        directory.reset(trainer.config())
        directory.remove_temporary_files()
        return trainer.warn(f"{directory.path} has no checkpoint yet: starting from the beginning")
    try:
        trainer.state.restore(*moment)
    except (KeyError, RuntimeError, ValueError, TypeError, IndexError) as error:
        why = first_line(error)
        raise EquipoiseError(
            f"{directory.path} cannot be resumed: its checkpoint does not fit its config ({why})"
        ) from None
    _check_length(trainer, run_choices)
    directory.remove_temporary_files()
    restore_log(trainer, directory.read_log(trainer.warn))
    # In this order: if the process is killed in between, the next start corrects the
    # log.
    directory.write_config(trainer.config())
    directory.write_log(trainer.log)
    _restore_sampler(trainer, directory)


def _restore_sampler(trainer: Trainer, directory: RunDirectory) -> None:
    """Bring the sampler to the state's samples seen, and save the generator if the file
    is older. After early stopping the file has the best generator, and stays."""
    trainer.sampler.samples_seen = trainer.state.samples_seen
    if not trainer.stopped_early and not is_saved(trainer.sampler, directory.generator):
        trainer.recalibrate_batchnorm()
        save_generator(trainer.sampler, directory.generator)


def _check_length(trainer: Trainer, run_choices: dict[str, Any]) -> None:
    """Check that a new length is more than the run has trained already.

    Raises:
        RequestError: If not.
    """
    assert trainer.directory is not None, "only a directory can be resumed"
    state, path = trainer.state, trainer.directory.path
    samples, minutes = run_choices.get("samples"), run_choices.get("minutes")
    # The last step may reach beyond the length.
    step = trainer.recipe.batch_size * trainer.recipe.discriminator_steps
    if samples is not None and samples <= state.samples_seen - step:
        raise RequestError(
            f"samples = {samples} is the total, and {path} has seen {state.samples_seen} "
            "already: give more than that"
        )
    if minutes is not None and minutes * 60 < MIN_RUN_FRACTION * state.seconds:
        raise RequestError(
            f"minutes = {minutes:g} is the total, and {path} has trained for "
            f"{state.seconds / 60:.3g} already: give more than that"
        )

"""Resuming: a run goes on where it was, with the data and the settings that it was
trained with."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from equipoise.data.distributions import Distribution, distribution_settings
from equipoise.data.factory import open_source
from equipoise.data.sources import Source
from equipoise.diagnosis.timing import seconds_for
from equipoise.errors import EquipoiseError, RequestError, first_line
from equipoise.runs import checkpoint
from equipoise.runs.config import RunConfig
from equipoise.runs.directory import RunDirectory
from equipoise.runs.generator import is_saved, module_tensors, save_generator
from equipoise.runs.settings import CHANGEABLE, RunSettings, differences
from equipoise.runtime.ranks import Ranks
from equipoise.training.loop import MIN_RUN_FRACTION
from equipoise.training.request import Request
from equipoise.training.resume_log import has_reached_length, restore_log
from equipoise.training.sharing import check_shared
from equipoise.training.trainer import Trainer
from equipoise.transforms.chain import Chain
from equipoise.utils.formatting import about, spoken


def resume(request: Request) -> Trainer:
    """The training of the run in `request.out`, at its newest whole checkpoint.

    Args:
        request: Its settings must be the run's, but for those that may change. Data may
            be left out where the run can open it again.

    Raises:
        RequestError: Settings or data are not the run's, which names them, or it
            is to be shorter than it is already. Nothing has been written then.
        EquipoiseError: The run's files are damaged or missing.
    """
    if request.out is None:
        raise RequestError("resume needs out: give the directory of the run to resume")
    ranks = Ranks.current()
    with ranks.failing_together():
        directory = RunDirectory.existing(request.out)
        config = request.recorded or directory.read_config()
        _check_settings(request.out, config, request)
        settings = config.settings.updated(request.settings.run)
        source = _source(request.out, config, request, settings)
        _check_data(request.out, config, source)
    check_shared(ranks, source, config.recipe, settings, resumes=True)
    with ranks.failing_together():
        if ranks.is_main:
            directory.lock()
    try:
        return _at_newest_checkpoint(request, directory, config, settings, source, ranks)
    except BaseException:
        directory.unlock()
        raise


def _at_newest_checkpoint(
    request: Request,
    directory: RunDirectory,
    config: RunConfig,
    settings: RunSettings,
    source: Source,
    ranks: Ranks,
) -> Trainer:
    """The training of a run that is locked; rank 0 reads for all."""
    with ranks.failing_together():
        moment = _newest_checkpoint(directory, config, request.warn) if ranks.is_main else None
    moment = ranks.share(moment)
    transform = None
    if moment is not None:
        transform = _transform(directory.path, config, source, moment)
    trainer = Trainer(
        source,
        config.recipe,
        settings,
        request.warn,
        requested=config.requested.updated(request.settings),
        transform=transform,
        directory=directory,
        recorded=config,
        ranks=ranks,
    )
    with ranks.failing_together():
        _restore(trainer, directory, request.settings.run, moment)
    before = config.machine.processes
    if before != ranks.size and moment is not None:
        trainer.warn(
            f"{directory.path} was trained in {_processes(before)} and goes on in "
            f"{_processes(ranks.size)}: from the same state, but with other random numbers "
            "than it would have had"
        )
    return trainer


def _processes(count: int) -> str:
    return f"{count} process{'es' if count > 1 else ''}"


def is_finished(trainer: Trainer) -> bool:
    """Whether a training that was resumed has nothing left to do."""
    return trainer.stopped_early or has_reached_length(trainer)


def notes(trainer: Trainer) -> list[str]:
    """What the caller of `fit` should know of a
    training that begins or goes on: a line each."""
    over = trainer.resumed and trainer.ranks.is_main and is_finished(trainer)
    finished = [status_line(trainer)] if over else []
    return [*trainer.source.notes, *finished]


def status_line(trainer: Trainer) -> str:
    """Where a resumed training goes on from, in a line;
    or that it is finished, and what to type for more."""
    state, samples, minutes = trainer.state, trainer.plan.samples, trainer.settings.minutes
    seen = f"{state.samples_seen:,} samples"
    if not is_finished(trainer):
        if samples is not None:
            return f"resuming at {state.samples_seen:,} of {samples:,} samples"
        return f"resuming at {spoken(state.seconds)} of {minutes:g} minutes, {seen} seen"
    seen += " seen until the metric no longer improved" if trainer.stopped_early else " seen"
    if samples is not None:
        longer = _longer_command(trainer, "samples", 2 * samples)
        return f"finished: {seen}; to train longer: {longer}"
    used = f"{spoken(state.seconds)} of {minutes:g} minutes used, {seen}; minutes are the total"
    longer = _longer_command(trainer, "minutes", 2 * (minutes or 0))
    return f"finished: {used}; to train longer: {longer}"


def _longer_command(trainer: Trainer, length: str, value: float) -> str:
    """What to type to train so long in all, and about how long that will take."""
    assert trainer.directory is not None, "only a directory can be resumed"
    run = str(trainer.directory.path)
    if trainer.config.data_arguments:
        command = f"equipoise train --resume {shlex.quote(run)} --{length} {value:.15g}"
    else:
        command = f"GAN({length}={value:.15g}).fit(data, out={run!r}, resume=True)"
    seconds = (
        seconds_for(round(value) - trainer.state.samples_seen, trainer.log)
        if length == "samples"
        else None
    )
    return command if seconds is None else f"{command} ({about(seconds)})"


def _check_settings(run: Path, config: RunConfig, request: Request) -> None:
    """Raises RequestError where a setting that was given, those of a distribution among
    them, is not the run's, and may not change."""
    recipe, data = request.recipe, request.data
    if recipe is not None and recipe is not type(config.recipe):
        differ = [f"recipe: {config.recipe.name!r} -> {recipe.name!r}"]
    else:
        differ = differences(asdict(config.recipe), request.settings.recipe)
    differ += differences(asdict(config.settings), request.settings.run, CHANGEABLE)
    recorded = config.data.distribution
    if isinstance(data, Distribution) and data.name == config.data.name:
        differ += differences(
            {} if recorded is None else distribution_settings(recorded), distribution_settings(data)
        )
    if differ:
        raise RequestError(
            f"{run} was trained with other settings ({'; '.join(differ)}): leave them out to "
            "resume, or train anew"
        )


def _source(run: Path, config: RunConfig, request: Request, settings: RunSettings) -> Source:
    """The data: what was given, or what the run knows where nothing was."""
    data, labels = request.data, request.labels
    recorded = config.data
    distribution = recorded.distribution
    if data is None:
        if recorded.in_python:
            what = recorded.label if recorded.origin is None else f"labels for {recorded.label}"
            given = (
                "fit(data, labels, out=..., resume=True)"
                if recorded.labels_in_python
                else "fit(data, out=..., resume=True)"
            )
            raise RequestError(
                f"{run} was trained on {what} passed in Python: pass the same again, with {given}"
            )
        data = recorded.origin
    if distribution is not None and (
        data is None or (isinstance(data, str) and data in (recorded.name, recorded.origin))
    ):
        data = distribution  # with the settings that it had
    try:
        return open_source(
            data,
            labels,
            label_column=settings.label_column,
            memory_budget=settings.memory_budget,
            split_seed=settings.seed_of_split,
            overrides=settings.columns_by_name,
            constraints=settings.constraints,
            images=settings.images,
            roles=settings.roles,
        )
    except RequestError as error:
        if data is not recorded.origin:
            raise
        raise RequestError(
            f"{run} was trained on {data}, which cannot be read now: {error}"
        ) from None


def _check_data(run: Path, config: RunConfig, source: Source) -> None:
    """Raises:
    RequestError: Where the source is not the data that the run was trained on."""
    recorded, given = config.data, source.describe()
    if not source.repeats or recorded.fingerprint == given.fingerprint:
        return
    old, new = recorded.label, given.label
    same = "give the same data, or start a new run"
    if recorded.name != given.name or (recorded.origin is None) != (given.origin is None):
        raise RequestError(f"{run} was trained on {old}, but you gave {new}: {same}")
    if recorded.labels_in_python and not given.labels_in_python:
        raise RequestError(
            f"{run} was trained on {old} with labels passed in Python: pass them again, or "
            "start a new run"
        )
    if recorded.origin is None:
        raise RequestError(f"{run} was trained on {old} with other values or another order: {same}")
    raise RequestError(
        f"{run} was trained on {old}, which has changed, or is in another order: {same}"
    )


def _transform(path: Path, config: RunConfig, source: Source, moment: checkpoint.Moment) -> Chain:
    """The run's transforms, from its config and a checkpoint.

    Raises:
        EquipoiseError: Where these do not fit.
    """
    try:
        with torch.device("meta"):
            outline = Chain.from_config(source.schema, list(config.transform))
        stored = module_tensors("transform", moment[0])
        if {n: t.shape for n, t in outline.state_dict().items()} != {
            n: t.shape for n, t in stored.items()
        }:
            raise RequestError("its transforms have other shapes")
        transform = Chain.from_config(source.schema, list(config.transform))
        transform.load_state_dict(stored)
        transform.check()
    except (RequestError, TypeError, RuntimeError) as error:
        raise EquipoiseError(
            f"{path} cannot be resumed: its checkpoint does not fit its config "
            f"({first_line(error)})"
        ) from None
    return transform


def _newest_checkpoint(
    directory: RunDirectory, config: RunConfig, warn: Callable[[str], None]
) -> checkpoint.Moment | None:
    """The newest whole checkpoint; None for a run that was stopped before its first."""
    if checkpoint.checkpoints(directory.checkpoints):
        return checkpoint.load_newest(directory.checkpoints, warn)
    if config.init_from is not None:
        raise EquipoiseError(
            f"{directory.path} cannot be resumed: the checkpoint with its initial "
            "weights is missing; start a new run"
        )
    return None


def _restore(
    trainer: Trainer,
    directory: RunDirectory,
    run_choices: dict[str, Any],
    moment: checkpoint.Moment | None,
) -> None:
    """Go back to a checkpoint, or without one to the start. Rank 0 changes files."""
    is_main = trainer.ranks.is_main
    if moment is None:
        if not is_main:
            return None
        directory.reset(trainer.config)
        directory.remove_temporary_files()
        return trainer.warn(f"{directory.path} has no checkpoint yet: starting from the beginning")
    try:
        trainer.state.restore(*moment)
    except (KeyError, RuntimeError, ValueError, TypeError, IndexError) as error:
        why = first_line(error)
        raise EquipoiseError(
            f"{directory.path} cannot be resumed: its checkpoint does not fit its config ({why})"
        ) from None
    _check_length(trainer, directory.path, run_choices)
    if not is_main:
        trainer.sampler.samples_seen = trainer.state.samples_seen
        return None
    directory.remove_temporary_files()
    restore_log(trainer, directory.read_log(trainer.warn))
    # In this order: where it is killed in between, the log is put right by the next
    # start.
    directory.write_config(trainer.config)
    directory.write_log(trainer.log)
    _restore_sampler(trainer, directory)
    return None


def _restore_sampler(trainer: Trainer, directory: RunDirectory) -> None:
    """The sampler is at the state's moment, and written if it was not after the
    checkpoint. That of a run that has ended with early stopping on is the best, and
    stays."""
    trainer.sampler.samples_seen = trainer.state.samples_seen
    stops = trainer.settings.stop_when is not None
    trainer.keeps_best = trainer.stopped_early or (stops and has_reached_length(trainer))
    if not trainer.keeps_best and not is_saved(trainer.sampler, directory.generator):
        trainer.recalibrate_batchnorm()
        save_generator(trainer.sampler, directory.generator)


def _check_length(trainer: Trainer, path: Path, run_choices: dict[str, Any]) -> None:
    """Raises:
    RequestError: Where the user gives a length that the run is beyond already."""
    state = trainer.state
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

"""`equipoise train`: train and print a report."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from equipoise.cli.columns_table import lines_of
from equipoise.cli.output import echo, warn
from equipoise.cli.watch import require_studio, watched
from equipoise.errors import EquipoiseError
from equipoise.runtime.launch import is_started_by_torchrun, was_restarted, world_size

if TYPE_CHECKING:
    from equipoise.api import GAN
    from equipoise.cli.train_options import TrainRequest
    from equipoise.data.sources import Source
    from equipoise.training.guard import DivergedError
    from equipoise.training.trainer import Trainer

SHOWN_COLUMNS = 30  # of a table


def train(arguments: Sequence[str]) -> None:
    """equipoise train DATA ..., or equipoise train --resume RUN ..."""
    from equipoise.cli.train_options import parse_train
    from equipoise.runtime import processes

    try:
        request = parse_train(arguments)
        if request.watch:
            require_studio()
        processes.check_not_nested(request.processes)
    except EquipoiseError as error:
        processes.fail_together(error)
    if world_size() == 1:  # torchrun has started as many as are wanted
        wanted = request.processes or 1 if is_started_by_torchrun() else request.wanted_processes
        if wanted > 1:
            if note := processes.core_note(wanted):
                warn(note)
            sys.exit(processes.start(wanted, ["train", *arguments]))
    with ExitStack() as page:
        _train(request, page)


def _train(request: TrainRequest, page: ExitStack) -> None:
    """Train and report. `page` is entered for the run's page, where it is watched."""
    from equipoise.runtime import processes

    with processes.joined(request.choices.get("device", "auto")):
        trained = _trained(request, page)
    if trained is None:
        return
    gan, trainer, finished, diverged = trained
    try:
        _report(gan, trainer, use_saved=finished and "evaluate" not in request.choices)
    finally:
        trainer.close_trackers()
    if diverged is not None:
        raise diverged


def _at_restart(request: TrainRequest) -> TrainRequest:
    """The request; where torchrun has started all processes again, to resume the run
    that they had begun."""
    from equipoise.runtime.ranks import Ranks

    ranks = Ranks.current()
    if not ranks.any(was_restarted()):
        return request
    begun = request.out is not None and (request.out / "config.json").is_file()
    if not ranks.share(begun):
        return request
    return replace(request, resume=True, init_from=None)


def _trained(
    request: TrainRequest, page: ExitStack
) -> tuple[GAN, Trainer, bool, DivergedError | None] | None:
    """Train, in this process and those that it was started with.

    Returns:
        On rank 0 the GAN, its trainer, whether there was nothing left to do, and the
        error of a training that diverged; None on other ranks.
    """
    from equipoise.api import GAN
    from equipoise.runtime import processes
    from equipoise.runtime.ranks import LostRankError
    from equipoise.training.guard import DivergedError
    from equipoise.training.resume import is_finished
    from equipoise.training.signals import InterruptedRunError

    request = _at_restart(request)
    gan = GAN(request.recipe.name, **request.choices)
    trainer = gan.trainer(
        request.data if request.distribution is None else request.distribution,
        out=request.out,
        resume=request.resume,
        init_from=request.init_from,
        warn=warn,
        recorded=request.recorded,
    )
    is_main = trainer.ranks.is_main
    if not is_main:
        with suppress(InterruptedRunError, DivergedError):  # rank 0 tells of them
            gan.train(trainer)
        return None
    _print_header(trainer)
    assert trainer.directory is not None, "the command line always writes a run"
    if request.watch:
        page.enter_context(watched(trainer.directory.path))
    where, finished = str(trainer.directory.path), trainer.resumed and is_finished(trainer)
    again = f"Resume with: {shlex.join(['equipoise', 'train', '--resume', where])}"
    processes.tell_rest(f"what is saved is in {where}. {again}")
    try:
        _run(gan, trainer, finished)
    except InterruptedRunError as error:
        raise InterruptedRunError(f"{error}. {again}", error.signal) from None
    except LostRankError as error:
        message = f"{error}; what is saved is in {where}. {again}"
        raise LostRankError(message, hung=error.hung) from None
    except DivergedError as error:
        return gan, trainer, False, error
    return gan, trainer, finished, None


def _run(gan: GAN, trainer: Trainer, finished: bool) -> None:
    """Train, and print the number of samples and the time."""
    from equipoise.training.progress import ProgressBar
    from equipoise.utils.formatting import spoken

    state = trainer.state
    seconds, samples = state.seconds, state.samples_seen
    with ProgressBar() as bar:
        gan.train(trainer, [bar])
    if not finished:
        more = f" in all, {state.samples_seen - samples:,} of them now," if samples else ""
        echo(
            f"Trained on {state.samples_seen:,} samples{more} in {spoken(state.seconds - seconds)}."
        )
        sys.stdout.flush()


def _report(gan: GAN, trainer: Trainer, *, use_saved: bool) -> None:
    """Print the report after a training, full or quick by its plan.

    Args:
        gan: The trained GAN.
        trainer: Its trainer.
        use_saved: Whether to print the saved report of the run, if there is one,
            instead of a new one.
    """
    from equipoise.metrics.budget import QUICK
    from equipoise.metrics.evaluate import takes_all
    from equipoise.training.progress import EvaluationStatus

    assert trainer.directory is not None, "the command line always writes a run"
    directory, kind = trainer.directory, trainer.plan.evaluation
    where, run = directory.path, shlex.quote(str(directory.path))
    report, use_saved = None, use_saved and directory.report.is_file()
    with EvaluationStatus() as status:
        if kind != "none":
            quick = kind == "quick"
            report = gan.report if use_saved else gan.evaluate(quick=quick, on_step=status)
        status("image of samples")
        gan.draw(where / "samples.png", seed=0)
    if report is None:
        echo(f"\nNot measured. To measure it: equipoise evaluate {run}\n")
        echo(f"Image: {where}/samples.png")
    else:
        echo(f"\n{report}\n")
        labels = bool(trainer.recipe.conditional)
        if kind == "quick" and not use_saved and not takes_all(trainer.source, labels, QUICK):
            echo(f"Measured on fewer samples. In full: equipoise evaluate {run}")
        echo(f"Report: {where}/report.html    Image: {where}/samples.png")
    source = trainer.source
    schema = source.schema
    suffix = ".csv" if schema.container == "frame" else ".npy"
    if suffix == ".npy" and schema.series is not None and schema.series.has_lengths:
        suffix = ".npz"
    suffix = "" if source.file_format is not None else suffix  # a folder for a folder
    echo(f"Samples: equipoise sample {run} -n 1000 --out samples{suffix}")


def _print_columns(source: Source) -> None:
    """Print the columns of a table, and what to type to change them."""
    data = shlex.quote(source.origin or "DATA")
    lines = lines_of(source.columns, SHOWN_COLUMNS)
    echo("\n".join(f"  {line}" for line in lines))
    if (more := len(source.columns) - SHOWN_COLUMNS) > 0:
        echo(f"  and {more:,} more: equipoise describe {data}")
    if source.schema.series is not None:
        return
    echo(
        f"  to change a column: equipoise describe {data} --out columns.toml, edit that file, and "
        "train with --columns columns.toml"
    )


def _unused_gpus(trainer: Trainer) -> int:
    """GPUs that there are, where one is used and was not picked; else 0."""
    import torch

    picked = ":" in trainer.settings.device or trainer.ranks.size > 1
    if picked or trainer.device.type != "cuda":
        return 0
    count = torch.cuda.device_count()
    return count if count > 1 else 0


def _print_header(trainer: Trainer) -> None:
    """Print the data, the recipe and the machine, and the progress of a resumed run."""
    from equipoise.data.in_words import described
    from equipoise.training.resume import status_line

    schema, source, directory = trainer.source.schema, trainer.source, trainer.directory
    rows = source.training_rows
    amount = "generated on the fly" if rows is None else f"{rows:,} to train on"
    echo(f"{source.name}: {described(schema)}, {amount}")
    if source.columns and not trainer.resumed:
        _print_columns(source)
    for note in source.notes:
        echo(f"  note: {note}")
    how = f"{trainer.speed.threads} thread{'s' if trainer.speed.threads > 1 else ''}"
    if trainer.ranks.size > 1:
        how = f"{trainer.ranks.size} processes of {how} each"
    how += ", in bfloat16" if trainer.speed.precision == "bfloat16" else ""
    how += "; compiling the step first, about a minute" if trainer.speed.compiled else ""
    echo(
        f"{trainer.recipe.name} on {trainer.device} with {how}; saved in "
        f"{directory.path if directory else '-'}"
    )
    if gpus := _unused_gpus(trainer):
        echo(f"  note: one of {gpus} GPUs is used; for all of them add --processes {gpus}")
    if trainer.resumed:
        echo(status_line(trainer))
    sys.stdout.flush()

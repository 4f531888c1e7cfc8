"""`equipoise train`: train and print a report."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from equipoise.cli.columns_table import lines_of
from equipoise.cli.describe import described
from equipoise.cli.output import echo, warn

if TYPE_CHECKING:
    from equipoise.api import GAN
    from equipoise.data.sources import Source
    from equipoise.training.trainer import Trainer

SHOWN_COLUMNS = 30  # of a table


def train(arguments: Sequence[str]) -> None:
    """equipoise train DATA ..., or equipoise train --resume RUN ..."""
    from equipoise.cli.train_options import parse_train

    request = parse_train(arguments)

    from equipoise.api import GAN
    from equipoise.training.guard import DivergedError
    from equipoise.training.resume import is_finished
    from equipoise.training.signals import InterruptedRunError

    gan = GAN(request.recipe.name, **request.choices)
    data = request.data if request.distribution is None else request.distribution
    trainer = gan.trainer(
        data,
        out=request.out,
        resume=request.resume,
        init_from=request.init_from,
        warn=warn,
        recorded=request.recorded,
    )
    _print_header(trainer)
    assert trainer.directory is not None, "the command line always writes a run"
    where, finished = str(trainer.directory.path), trainer.resumed and is_finished(trainer)
    try:
        _run(gan, trainer, finished)
    except InterruptedRunError as error:
        again = shlex.join(["equipoise", "train", "--resume", where])
        raise InterruptedRunError(f"{error}. Resume with: {again}", error.signal) from None
    except DivergedError:
        _report(gan, trainer, use_saved=False)
        raise
    _report(gan, trainer, use_saved=finished and "evaluate" not in request.choices)


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


def _print_header(trainer: Trainer) -> None:
    """Print the data, the recipe and the machine, and the progress of a resumed run."""
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
    how += ", in bfloat16" if trainer.speed.precision == "bfloat16" else ""
    how += "; compiling the step first, about a minute" if trainer.speed.compiled else ""
    echo(
        f"{trainer.recipe.name} on {trainer.device} with {how}; saved in "
        f"{directory.path if directory else '-'}"
    )
    if trainer.resumed:
        echo(status_line(trainer))
    sys.stdout.flush()

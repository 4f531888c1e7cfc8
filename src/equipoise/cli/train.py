"""`equipoise train`: from what was typed to the report at the end."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from equipoise.cli.output import say, tell_of

if TYPE_CHECKING:
    from equipoise.api import GAN
    from equipoise.training.trainer import Trainer


def train(arguments: Sequence[str]) -> None:
    """equipoise train DATA ..., or equipoise train --resume RUN ..."""
    from equipoise.cli.parser import parse_train, value_of, with_run
    from equipoise.recipes import DEFAULT, find

    arguments = with_run(arguments)
    earlier = value_of(arguments, "--out" if "--resume" in arguments else "--init-from")
    recipe = value_of(arguments, "--recipe") or _recorded_recipe(earlier)
    request = parse_train(arguments, find(recipe or DEFAULT))
    options = request.options

    from equipoise.api import GAN
    from equipoise.training.guard import DivergedError
    from equipoise.training.resume import is_finished
    from equipoise.training.signals import InterruptedRunError

    gan = GAN(recipe, **request.choices)
    data = request.distribution if request.distribution is not None else options.data
    trainer = gan.trainer(
        data, out=options.out, resume=options.resume, init_from=options.init_from, warn=tell_of
    )
    _announce(trainer)
    assert trainer.directory is not None, "the command line always writes a run"
    where, finished = str(trainer.directory.path), trainer.resumed and is_finished(trainer)
    try:
        _run(gan, trainer, finished)
    except InterruptedRunError as error:
        again = shlex.join(["equipoise", "train", "--resume", where])
        raise InterruptedRunError(f"{error}. Go on with: {again}", error.signal) from None
    except DivergedError:
        _report(gan, trainer, kept=False)
        raise
    _report(gan, trainer, kept=finished and "evaluate" not in request.choices)


def _run(gan: GAN, trainer: Trainer, finished: bool) -> None:
    """Train, and say on how many samples and how long."""
    from equipoise.training.progress import Display
    from equipoise.utils.formatting import spoken

    state = trainer.state
    seconds, samples = state.seconds, state.samples_seen
    with Display() as display:
        gan.train(trainer, [display.show])
    if not finished:
        more = f" in all, {state.samples_seen - samples:,} of them now," if samples else ""
        say(
            f"Trained on {state.samples_seen:,} samples{more} in {spoken(state.seconds - seconds)}."
        )
        sys.stdout.flush()


def _report(gan: GAN, trainer: Trainer, *, kept: bool) -> None:
    """Print the report at the end of a trainer, as thorough as its plan says. With
    `kept`, a report that the run has already is printed and nothing is measured."""
    from equipoise.metrics.budget import QUICK
    from equipoise.metrics.evaluate import takes_all
    from equipoise.training.progress import Measuring

    assert trainer.directory is not None, "the command line always writes a run"
    directory, kind = trainer.directory, trainer.plan.evaluation
    where, run = directory.path, shlex.quote(str(directory.path))
    report, kept = None, kept and directory.report.is_file()
    with Measuring() as measuring:
        if kind != "none":
            quick, show = kind == "quick", measuring.show
            report = gan.report if kept else gan.evaluate(quick=quick, on_step=show)
        measuring.show("image of samples")
        gan.draw(where / "samples.png", seed=0)
    if report is None:
        say(f"\nNot measured. To measure it: equipoise evaluate {run}\n")
        say(f"Image: {where}/samples.png")
    else:
        say(f"\n{report}\n")
        labels = bool(trainer.recipe.conditional)
        if kind == "quick" and not kept and not takes_all(trainer.source, labels, QUICK):
            say(f"Measured on fewer samples. In full: equipoise evaluate {run}")
        say(f"Report: {where}/report.html    Image: {where}/samples.png")
    say(f"Samples: equipoise sample {run} -n 1000 --out samples.npy")


def _announce(trainer: Trainer) -> None:
    """What is trained on what and how, and where a run that is resumed goes on from."""
    from equipoise.training.resume import told

    schema, source, directory = trainer.source.schema, trainer.source, trainer.directory
    kind = (
        "images of {2} x {1}, {0} channel(s)".format(*schema.shape)
        if schema.is_image
        else f"points of {schema.size} column(s)"
    )
    rows = source.training_rows
    say(f"{source.name}: {kind}, {'endless' if rows is None else f'{rows:,} to train on'}")
    for note in source.notes:
        say(f"  note: {note}")
    how = f"{trainer.speed.threads} thread{'s' if trainer.speed.threads > 1 else ''}"
    how += ", in bfloat16" if trainer.speed.precision == "bfloat16" else ""
    how += "; compiling the step first, about a minute" if trainer.speed.compiled else ""
    say(
        f"{trainer.recipe.name} on {trainer.device} with {how}; keeping everything in "
        f"{directory.path if directory else '-'}"
    )
    if trainer.resumed:
        say(told(trainer))
    sys.stdout.flush()


def _recorded_recipe(run: str | None) -> str | None:
    """The recipe of an earlier run, which is resumed or started from."""
    if run is None:
        return None
    from equipoise.runs.directory import RunDirectory

    name: str = RunDirectory.existing(Path(run)).read_config()["recipe"]["name"]
    return name

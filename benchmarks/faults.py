"""What a training survives: killed at random moments, and a disk that fails at every
moment there is.

    python -m benchmarks.faults            both of these
    python -m benchmarks.faults kills      200 times SIGKILL, resumed each time
    python -m benchmarks.faults disk
        every operation on a training's files fails in each of five ways
    python -m benchmarks.faults disk --cases 3 4
        of those trainings only, counted from 1

A run that was killed is resumed until it is done, and must end with the very bits of
one that nothing happened to. After each kill every file must be whole, and nothing that
was saved may be lost. Half the kills come after a random time, the other half while a
file is being opened, written, forced to disk or renamed. The result goes to
benchmarks/results.
"""

from __future__ import annotations

import argparse
import os
import random
import shlex
import shutil
import signal
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from PIL import Image

from benchmarks.injection import Faults, injected
from benchmarks.results import record
from equipoise import GAN
from equipoise.errors import EquipoiseError
from equipoise.runs import checkpoint
from equipoise.runs.directory import RunDirectory
from equipoise.runs.serialization import DamagedFileError, unpack
from equipoise.training.events import Event, SaveDue
from equipoise.utils.atomic_io import temporary_files

KILLS = 200
ERRORS = ("ENOSPC", "EIO", "EROFS", "short write", "vanished")
SAVES_AHEAD = 2.5  # saves after which, at most, a training is killed: so that it gets on


@dataclass(frozen=True)
class Case:
    """A training: of what, how, and how it goes."""

    name: str
    data: Callable[[], Any]
    recipe: str
    settings: dict[str, Any]
    labels: Callable[[], Any] = lambda: None


def images() -> Any:
    return np.random.default_rng(0).integers(0, 256, (200, 8, 8), np.uint8)


def classes() -> list[str]:
    return ["dark", "light"] * 100


SMALL: dict[str, Any] = {"batch_size": 64, "width": 16, "threads": 1, "seed": 3}
SMALLEST: dict[str, Any] = {
    "batch_size": 16,
    "width": 4,
    "samples": 16 * 24,
}  # as many operations on files as the whole training has
CASES = (
    Case(
        "balanced, ring, on modes",
        lambda: "ring",
        "balanced",
        {**SMALL, "clusters": 8, "samples": 64 * 1500},
    ),
    Case(
        "classic, N(4, 1.25), dropout, averaged",
        lambda: "gaussian",
        "classic",
        {**SMALL, "samples": 64 * 3000, "dropout": 0.2, "ema_half_life": 1000},
    ),
    Case(
        "balanced, labelled images, augmented",
        images,
        "balanced",
        {**SMALL, "samples": 64 * 400, "augment": "color,cutout", "augment_target": 0.6},
        classes,
    ),
    Case("infogan, images", images, "infogan", {**SMALL, "samples": 64 * 400}),
)


@dataclass
class Tally:
    """What was found of a case."""

    struck: int = 0
    in_a_write: int = 0
    runs: int = 0
    wrong: list[str] = field(default_factory=list)


def in_child(work: Callable[[Callable[[str], None]], None]) -> tuple[int, int]:
    """Start `work(say)` in a process of its own; its number, and the descriptor to read
    what it says."""
    read, write = os.pipe()
    child = os.fork()
    if child:
        os.close(write)
        return child, read
    os.close(read)
    warnings.simplefilter("ignore")
    try:
        work(lambda text: write_line(write, text))
        os._exit(0)
    except BaseException as error:  # whatever it is, the parent is told
        write_line(write, f"error {error!r}")
        os._exit(1)


def write_line(descriptor: int, text: str) -> None:
    os.write(descriptor, f"{text}\n".encode())


def train(case: Case, out: Path, resume: bool, faults: Faults, say: Callable[[str], None]) -> None:
    """The case's training, or the rest of it; says each moment that it saved."""
    gan = GAN(case.recipe, **({} if resume else case.settings))
    with injected(faults):
        fit = gan.trainer(case.data(), case.labels(), out=out, resume=resume, warn=lambda _: None)

        def told(event: Event) -> None:
            if isinstance(event, SaveDue):
                say(str(fit.state.samples_seen))

        say("training")
        gan.train(fit, [told])


def strike(case: Case, out: Path, seconds: float, rng: random.Random, tally: Tally) -> bool:
    """Train or go on, and be killed; whether it ended before."""
    resume = (out / "config.json").is_file()
    in_a_write, fault = rng.random() < 0.5, rng.choice(["killed", "killed half-way"])
    faults = Faults(out, fault, at=rng.randrange(60) if in_a_write else None)
    child, said = in_child(lambda say: train(case, out, resume, faults, say))
    with os.fdopen(said) as lines:
        first = lines.readline()
        if first == "training\n" and not in_a_write:
            time.sleep(rng.uniform(0, SAVES_AHEAD * seconds / 20))
            os.kill(child, signal.SIGKILL)
        rest = [first, *lines.readlines()]
    status = os.waitpid(child, 0)[1]
    tally.wrong += [line.strip() for line in rest if line.startswith("error")]
    saved = [int(line) for line in rest if line.strip().isdigit()]
    if os.WIFSIGNALED(status):
        tally.struck += 1
        tally.in_a_write += in_a_write
        tally.wrong += whole(out, saved[-1] if saved else None)
    return not os.WIFSIGNALED(status)


def whole(out: Path, saved: int | None) -> list[str]:
    """What is not whole in a run directory, or has been lost of what was saved."""
    run, wrong = RunDirectory(out), []
    try:
        if run.config_file.is_file():
            run.read_config()
        for path in [*checkpoint.checkpoints(run.checkpoints), *out.glob("*.safetensors")]:
            unpack(path)
        for path in [*run.images.glob("[!.]*.png"), *out.glob("[!.]*.png")]:
            Image.open(path).load()
    except (DamagedFileError, OSError) as error:
        wrong.append(str(error))
    run.read_log(wrong.append)
    newest = next((int(path.stem) for path in checkpoint.checkpoints(run.checkpoints)), -1)
    if saved is not None and newest < saved:
        wrong.append(f"saved {saved}, found {newest}")
    return wrong


def different(out: Path, straight: Path) -> list[str]:
    """How the end of a run differs from that of one that nothing happened to."""
    newest = [checkpoint.checkpoints(run / "checkpoints")[0] for run in (out, straight)]
    if newest[0].name != newest[1].name:
        return [f"{newest[0].name} is not {newest[1].name}"]
    (tensors, rest), (expected, wanted) = (unpack(path) for path in newest)
    wrong = [
        f"{name} differs" for name in expected if not torch.equal(tensors[name], expected[name])
    ]
    wrong += [
        f"{name} differs"
        for name, value in wanted["state"].items()
        if name != "seconds" and rest["state"][name] != value
    ]
    for file in straight.glob(
        "*.safetensors"
    ):  # the generator, and the encoder of one that has codes
        if (out / file.name).read_bytes() != file.read_bytes():
            wrong.append(f"{file.name} differs")
    return wrong + [f"{path.name} is left" for path in temporary_files(out)]


def undisturbed(case: Case, folder: Path) -> tuple[Path, float, int]:
    """A run of the case that nothing happens to, how long it trained, in seconds, and
    how much it did to files."""
    out = folder / "straight"
    faults = Faults(out)
    train(case, out, False, faults, lambda _: None)
    return out, RunDirectory(out).read_log()[-1]["seconds"], faults.done


def kills(case: Case, number: int, folder: Path) -> Tally:
    """Kill the case's training so many times, in as many runs as that takes."""
    straight, seconds, _ = undisturbed(case, folder)
    rng, tally = random.Random(case.name), Tally()
    while tally.struck < number:
        out = folder / f"run-{tally.runs}"
        done = False
        while not done and tally.struck < number:
            done = strike(case, out, seconds, rng, tally)
        if not done:
            train(case, out, (out / "config.json").is_file(), Faults(out), lambda _: None)
        tally.runs += 1
        tally.wrong += different(out, straight)
        shutil.rmtree(out)
        print(case.name, f"{tally.struck} of {number}", tally.wrong, flush=True)
    return tally


def disk(case: Case, folder: Path) -> Tally:
    """Let every operation on the files of a training, shortened, fail in every way;
    then go on without failures."""
    case = Case(case.name, case.data, case.recipe, {**case.settings, **SMALLEST}, case.labels)
    straight, _, operations = undisturbed(case, folder)
    tally = Tally()
    for fault in ERRORS:
        for at in range(operations):
            out = folder / "run"
            tally.runs += 1
            try:
                train(case, out, False, Faults(out, fault, at), lambda _: None)
            except EquipoiseError:
                tally.struck += 1
            try:
                train(case, out, (out / "config.json").is_file(), Faults(out), lambda _: None)
                tally.wrong += different(out, straight)
            except EquipoiseError as error:
                tally.wrong.append(f"{fault} at {at}: {error}")
            shutil.rmtree(out, ignore_errors=True)
        print(case.name, fault, operations, tally.wrong, flush=True)
    return tally


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", nargs="?", choices=["kills", "disk"], help="both, if not given")
    parser.add_argument("--kills", type=int, default=KILLS, help="how many in all")
    parser.add_argument(
        "--cases",
        nargs="+",
        type=int,
        choices=range(1, len(CASES) + 1),
        help="which trainings, counted from 1; all unless given",
    )
    options = parser.parse_args()
    cases = [CASES[number - 1] for number in options.cases or range(1, len(CASES) + 1)]
    given = ["--cases", *map(str, options.cases)] if options.cases else []
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    wrong = False
    for what in [options.what] if options.what else ["kills", "disk"]:
        tallies = []
        for case in cases:
            with TemporaryDirectory() as folder:
                home = Path(folder).resolve()
                tallies.append(
                    kills(case, options.kills // len(cases), home)
                    if what == "kills"
                    else disk(case, home)
                )
        record(
            shlex.join(["python", "-m", "benchmarks.faults", what, *given]),
            "One thread.",
            table(what, cases, tallies),
        )
        wrong = wrong or any(tally.wrong for tally in tallies)
    sys.exit(wrong)


def table(what: str, cases: Sequence[Case], tallies: Sequence[Tally]) -> list[list[str]]:
    if what == "kills":
        head = ["training", "kills", "of them in a write", "runs", "what was wrong"]
        rows = [[str(tally.struck), str(tally.in_a_write), str(tally.runs)] for tally in tallies]
    else:
        head = ["training", "faults", "trainings that could not go on", "what was wrong in the end"]
        rows = [[str(tally.runs), str(tally.struck)] for tally in tallies]
    return [
        head,
        *(
            [case.name, *row, "; ".join(tally.wrong) or "nothing"]
            for case, row, tally in zip(cases, rows, tallies, strict=True)
        ),
    ]


if __name__ == "__main__":
    main()

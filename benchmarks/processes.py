"""P5 and P6: whole processes, as a user starts them: how soon they answer, and how much
memory they take."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.measuring import Measurement, against, spread
from equipoise.utils.system import usable_cores

STARTS, QUICK_STARTS = 7, 2
HELP_GOAL, STEP_GOAL = 0.3, 3.0  # seconds
MEMORY_GOAL = 1.0  # GiB
SAMPLES, QUICK_SAMPLES = 100_000, 3_200
HELP = ["-m", "equipoise", "--help"]
# The command line with its first step watched: it tells the time when that is done, and
# is gone.
FIRST_STEP = """
import os, sys, time
from equipoise.cli import main as cli
from equipoise.training import loop
step = loop.adversarial_step
def first(*arguments):
    step(*arguments)
    os.write(1, f"\\n{time.time()}\\n".encode())
    os._exit(0)
loop.adversarial_step = first
sys.exit(cli.main(sys.argv[1:]))
"""
# A process counts what its parent held when it was started, so a small one starts it.
LAUNCHER = """
import os, sys
silent = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
process = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ, file_actions=silent)
_, status, used = os.wait4(process, 0)
print(os.waitstatus_to_exitcode(status), used.ru_maxrss)
"""
FIT = (
    "import sys; from equipoise import GAN; GAN(samples=int(sys.argv[1])).fit('mnist', "
    "out=sys.argv[2])"
)


def answer_seconds(arguments: list[str]) -> float:
    """Seconds from launch until a Python process with these arguments has ended."""
    began = time.perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def first_step_seconds(*data: str) -> float:
    """Seconds from launch until `equipoise train` has done its first training step."""
    with tempfile.TemporaryDirectory() as folder:
        arguments = [
            sys.executable,
            "-c",
            FIRST_STEP,
            "train",
            *data,
            "--out",
            str(Path(folder) / "run"),
        ]
        began = time.time()
        printed = subprocess.run(arguments, check=True, stdout=subprocess.PIPE, text=True).stdout
        return float(printed.split()[-1]) - began


def peak_of(arguments: list[str]) -> int:
    """The largest resident set, in bytes, of a Python process with these arguments.

    Raises:
        RuntimeError: If it fails.
    """
    done = subprocess.run(
        [sys.executable, "-S", "-c", LAUNCHER, sys.executable, *arguments],
        check=True,
        capture_output=True,
        text=True,
    )
    status, kibibytes = map(int, done.stdout.split())
    if status:
        raise RuntimeError(f"{arguments} ended with status {status}: {done.stderr.strip()[-200:]}")
    return kibibytes * 1024


def start(quick: bool) -> Measurement:
    """The table of P5. A first start, which fills the disk's cache, is not counted."""
    times = QUICK_STARTS if quick else STARTS
    rows = [["until", "seconds after launch", "goal"]]
    measured: dict[str, tuple[Callable[[], float], float | None]] = {
        "`equipoise --help` has ended": (lambda: answer_seconds(HELP), HELP_GOAL),
        "the first step of `equipoise train gaussian` is done": (
            lambda: first_step_seconds("gaussian"),
            STEP_GOAL,
        ),
        "the first step of `equipoise train mnist --minutes 5` is done": (
            lambda: first_step_seconds("mnist", "--minutes", "5"),
            None,
        ),
    }
    for what, (seconds, goal) in measured.items():
        seconds()
        found = [seconds() for _ in range(times)]
        rows.append(
            [
                what,
                spread(found, 3),
                "" if goal is None else against(statistics.median(found), goal, " s"),
            ]
        )
        print(" | ".join(rows[-1]), flush=True)
    return Measurement(
        f"Threads by rule. Whole processes, medians of {times} starts, lowest and highest in "
        "brackets.",
        rows,
    )


def memory(quick: bool) -> Measurement:
    """The table of P6."""
    samples = QUICK_SAMPLES if quick else SAMPLES
    rows = [["process", "largest resident set, GiB", "goal"]]
    with tempfile.TemporaryDirectory() as folder:
        runs = {
            "Python with torch imported, and nothing else": ["-c", "import torch"],
            f"`GAN(samples={samples}).fit('mnist', out=...)`: training alone": [
                "-c",
                FIT,
                str(samples),
                f"{folder}/fit",
            ],
            f"`equipoise train mnist --samples {samples}`, with its closing report": [
                *["-m", "equipoise", "train", "mnist"],
                *["--samples", str(samples), "--evaluate", "full", "--out", f"{folder}/train"],
            ],
        }
        for what, arguments in runs.items():
            gib = peak_of(arguments) / 2**30
            rows.append(
                [
                    what,
                    f"{gib:.2f}",
                    against(gib, MEMORY_GOAL, " GiB") if "torch" not in what else "",
                ]
            )
            print(" | ".join(rows[-1]), flush=True)
    return Measurement(
        f"{usable_cores()} thread(s), by rule. Whole processes, as the system accounts for "
        "them at their end.",
        rows,
    )

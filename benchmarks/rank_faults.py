"""What a training in several processes survives: SIGKILL of a random one of them, at
random moments.

    python -m benchmarks.rank_faults processes
        20 kills under `equipoise train --processes 2`, resumed by hand each time
    python -m benchmarks.rank_faults torchrun
        20 kills under torchrun, which starts the processes again by itself
    python -m benchmarks.rank_faults processes --kills 4
        4, to try it; nothing is recorded

After each kill the other process must have ended soon, of itself, and every file of the
run must be whole. At the end there must be the very bits of a run that nothing happened
to, and no process left. A quarter of the kills come while the processes start, the rest
at a random time of the training. The result goes to benchmarks/results.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

import equipoise
from benchmarks.faults import different, whole
from benchmarks.results import record
from equipoise.runs.directory import RunDirectory

KILLS, STARTS = 20, 0.25
SAVES_AHEAD = 2.5  # saves after which, at most, a process is killed: so that it gets on
START = 5.0  # seconds, about, that the processes take to begin
DEADLINE = 400.0  # seconds for what must happen
COMMON = ["--seed", "3", "--evaluate", "none", "--out", "run"]
CASES = {
    "balanced, ring, on modes": "ring --width 16 --clusters 8 --samples 64000",
    "dcgan, images: BatchNorm": "images.npz --recipe dcgan --width 4 --batch-size 16 "
    "--samples 6400",
    "balanced, labelled images, augmented": "images.npz --conditional --width 8 --batch-size 16 "
    "--augment color,cutout --augment-target 0.6 --samples 6400",
}
ENVIRONMENT = {
    "GLOO_SOCKET_IFNAME": "lo",
    "OMP_NUM_THREADS": "1",
    "PYTHONPATH": str(Path(equipoise.__file__).parents[1]),
}
LAUNCHER = [sys.executable, "-m"]
TORCHRUN = [*LAUNCHER, "torch.distributed.run", "--nproc-per-node", "2", "--max-restarts"]


@dataclass
class Tally:
    """What was found of a training that is started in one way."""

    kills: int = 0
    runs: int = 0
    at_start: int = 0
    slowest: float = 0.0
    """Seconds until the other process had ended, at most."""
    wrong: list[str] = field(default_factory=list)


def wait_for(what: Callable[[], bool], seconds: float = DEADLINE) -> bool:
    """Whether it came true in this time."""
    until = time.monotonic() + seconds
    while not what():
        if time.monotonic() > until:
            return False
        time.sleep(0.01)
    return True


def ranks_of(launcher: int) -> list[int]:
    """The processes that a launcher has started: those that train."""
    with suppress(OSError):
        listed = Path(f"/proc/{launcher}/task/{launcher}/children").read_text()
        return sorted(pid for pid in map(int, listed.split()) if _trains(pid))
    return []


def _trains(pid: int) -> bool:
    """Whether a process is one of equipoise, that has not ended."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return b"equipoise" in words


@contextmanager
def launched(words: Sequence[str], where: Path) -> Iterator[subprocess.Popen[str]]:
    """A launcher, whose processes are ended with the context."""
    child = subprocess.Popen(
        words,
        cwd=where,
        env={**os.environ, **ENVIRONMENT},
        text=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    try:
        yield child
    finally:
        for pid in [*ranks_of(child.pid), child.pid]:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        child.communicate()


class Killer:
    """Kills a random rank at random moments of a training, and looks at what is left.

    Args:
        where: The working directory; the run is in `run`.
        seconds: That the training takes by itself.
        rng: Which rank, and when.
        tally: Where to count.
    """

    def __init__(self, where: Path, seconds: float, rng: random.Random, tally: Tally) -> None:
        self.where, self.seconds, self.rng, self.tally = where, seconds, rng, tally

    def strike(self, launcher: subprocess.Popen[str]) -> bool:
        """Kill one of the launcher's two processes; false if it ended before."""
        log = self.where / "run/log.jsonl"
        before = log.stat().st_mtime_ns if log.is_file() else 0
        started = wait_for(lambda: len(ranks_of(launcher.pid)) == 2 or launcher.poll() is not None)
        at_start = self.rng.random() < STARTS
        if at_start:
            time.sleep(self.rng.uniform(0, START))
        else:  # the log is written anew where a run is resumed
            started &= wait_for(
                lambda: (
                    launcher.poll() is not None
                    or (log.is_file() and log.stat().st_mtime_ns > before)
                )
            )
            time.sleep(self.rng.uniform(0, SAVES_AHEAD * self.seconds / 20))
        if not started:
            self.tally.wrong.append("it did not start")
        ranks = ranks_of(launcher.pid)
        if len(ranks) < 2 or launcher.poll() is not None:
            return False
        os.kill(ranks[self.rng.randrange(2)], signal.SIGKILL)
        killed = time.monotonic()
        if not wait_for(lambda: not any(map(_trains, ranks))):
            self.tally.wrong.append("a process is left")
        self.tally.slowest = max(self.tally.slowest, time.monotonic() - killed)
        self.tally.kills += 1
        self.tally.at_start += at_start
        self.tally.wrong += self.damage()
        return True

    def damage(self) -> list[str]:
        """What is not whole of the run."""
        run = self.where / "run"
        return whole(run, None) if run.is_dir() else []


def resumed_by_hand(words: list[str], killer: Killer, most: int) -> None:
    """Kill a training of `--processes 2` and resume it, until it ends."""
    run = killer.where / "run"
    while True:
        begun = (run / "config.json").is_file()
        if not begun:
            shutil.rmtree(run, ignore_errors=True)
        given = ["--resume", "run", "--evaluate", "none"] if begun else words
        command = [*LAUNCHER, "equipoise", "train", *given, "--processes", "2"]
        with launched(command, killer.where) as launcher:
            if killer.tally.kills < most and killer.strike(launcher):
                err = launcher.communicate(timeout=DEADLINE)[1]
                if "was ended by SIGKILL" not in err or "Traceback" in err:
                    killer.tally.wrong.append(f"told {err.strip()!r}")
                continue
            err = launcher.communicate(timeout=DEADLINE)[1]
            if launcher.returncode:
                killer.tally.wrong.append(f"ended with {launcher.returncode}: {err.strip()}")
            return


def restarted_by_torchrun(words: list[str], killer: Killer, most: int) -> None:
    """Kill processes of one torchrun, which starts them again, until it ends."""
    command = [*TORCHRUN, str(most), *LAUNCHER[1:], "equipoise", "train", *words]
    with launched(command, killer.where) as launcher:
        while killer.tally.kills < most and killer.strike(launcher):
            pass
        err = launcher.communicate(timeout=DEADLINE)[1]
        if launcher.returncode:
            killer.tally.wrong.append(f"ended with {launcher.returncode}: {err.strip()}")


WAYS = {"processes": resumed_by_hand, "torchrun": restarted_by_torchrun}


def measure(name: str, way: str, kills: int, folder: Path) -> Tally:
    """Kill a training so many times, in as many runs as that takes."""
    words, tally, rng = [*CASES[name].split(), *COMMON], Tally(), random.Random(f"{name} {way}")
    straight = folder / "straight"
    place(straight)
    nothing = Killer(straight, 0.0, rng, Tally())
    resumed_by_hand(words, nothing, 0)
    seconds = RunDirectory(straight / "run").read_log()[-1]["seconds"]
    tally.wrong += nothing.tally.wrong
    while tally.kills < kills and not tally.wrong:
        where = folder / f"run-{tally.runs}"
        place(where)
        WAYS[way](words, Killer(where, seconds, rng, tally), kills)
        tally.runs += 1
        tally.wrong += different(where / "run", straight / "run")
        shutil.rmtree(where)
        print(name, way, f"{tally.kills} of {kills}", tally.wrong, flush=True)
    return tally


def place(folder: Path) -> None:
    """A working directory with the data."""
    folder.mkdir()
    images = np.random.default_rng(0).integers(0, 256, (200, 8, 8), np.uint8)
    np.savez(folder / "images.npz", x=images, y=np.arange(200) % 2)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("way", choices=WAYS, help="who starts the processes")
    parser.add_argument("--kills", type=int, default=KILLS, help="how many in all")
    given = parser.parse_args()
    rows = [
        [
            *("training", "kills", "of them at the start", "runs"),
            *("the other had ended after, at most", "what was wrong"),
        ]
    ]
    wrong = False
    for number, name in enumerate(CASES):
        share = given.kills // len(CASES) + (number < given.kills % len(CASES))
        with TemporaryDirectory() as folder:
            tally = measure(name, given.way, share, Path(folder).resolve())
        wrong = wrong or bool(tally.wrong)
        rows.append(
            [
                *(name, str(tally.kills), str(tally.at_start), str(tally.runs)),
                *(f"{tally.slowest:.1f} s", "; ".join(tally.wrong) or "nothing"),
            ]
        )
    if given.kills == KILLS:
        command = f"python -m benchmarks.rank_faults {given.way}"
        record(command, "Two processes of one thread; other work beside them.", rows)
    else:
        print("\n".join("  ".join(row) for row in rows))
    sys.exit(wrong)


if __name__ == "__main__":
    main()

"""Starting trainings in processes of their own, and looking at them from outside."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import equipoise
from tests.helpers import Answer

ROOT = Path(__file__).resolve().parents[1]  # of the benchmarks
TORCHRUN = ["-m", "torch.distributed.run", "--nproc-per-node", "2"]
SMALL = ["--width", "8", "--clusters", "0", "--evaluate", "none"]
ENDLESS = ["gaussian", "--samples", "100000000", *SMALL]
DEADLINE = 60.0  # seconds, on a busy machine


def environment(**more: str) -> dict[str, str]:
    source = os.pathsep.join(map(str, (Path(equipoise.__file__).parents[1], ROOT)))
    kept = {name: value for name, value in os.environ.items() if name not in ("RANK", "WORLD_SIZE")}
    loopback = {"GLOO_SOCKET_IFNAME": "lo", "OMP_NUM_THREADS": "1"}
    return {**kept, **loopback, "PYTHONPATH": source, **more}


@contextmanager
def running(
    words: list[str], where: Path, within: Sequence[str] = (), **more: str
) -> Iterator[subprocess.Popen[str]]:
    """A Python program, maybe within another, which is ended with the context."""
    process = subprocess.Popen(
        [*within, sys.executable, *words],
        cwd=where,
        env=environment(**more),
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.kill()
        process.wait()


def ended(words: list[str], where: Path, seconds: float = DEADLINE, **more: str) -> Answer:
    """The answer of a Python program."""
    with running(words, where, **more) as process:
        out, err = process.communicate(timeout=seconds)
        return Answer(process.returncode, out, err)


def train(*words: str) -> list[str]:
    return ["-m", "equipoise", "train", *words]


def sample(*words: str) -> list[str]:
    return ["-m", "equipoise", "sample", *words]


def wait_for(what: Callable[[], Any], seconds: float = DEADLINE) -> Any:
    """The first value of `what` that is true."""
    until = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < until, "it did not happen"
        time.sleep(0.05)
    return found


def children(process: subprocess.Popen[str]) -> list[int]:
    """The process ids of the ranks, in their order."""
    listed = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text()
    return sorted(map(int, listed.split()))


def checkpoints(run: Path) -> list[str]:
    return sorted(file.name for file in (run / "checkpoints").glob("*.safetensors"))

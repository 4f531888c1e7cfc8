"""Starting the processes that train or sample together, and joining them.

`start` runs the ranks of one machine, each a command like the user's with the variables
that torchrun sets. `joined` makes a process that was started like that, by either of
them, a rank. A script that has a process group of its own needs neither.

torch is imported inside functions: the process that starts the others does not train.
"""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path

from equipoise.errors import EquipoiseError, RequestError
from equipoise.runtime.launch import (
    LIFELINE,
    LOCAL_RANK,
    LOCAL_WORLD_SIZE,
    MEETING,
    RANK,
    RESTARTS,
    WORLD_SIZE,
    is_started_by_us,
    rank,
    timeout,
    world_size,
)
from equipoise.utils.system import usable_cores

Child = subprocess.Popen[bytes]
REST_SUFFIX = ".rest"  # of the file where rank 0 says what is kept
POLL = 0.05  # seconds
# Seconds that the others have to end by themselves after one has failed, and between a
# request to end and the end.
GRACE = 5.0


def check_not_nested(processes: int | None, environment: Mapping[str, str] = os.environ) -> None:
    """Raises:
    RequestError: Processes were asked for in one that torchrun has started."""
    size = world_size(environment)
    if processes is not None and size > 1 and not is_started_by_us(environment):
        raise RequestError(
            f"processes = {processes}: torchrun has started {size} processes already: leave "
            "it out, or run equipoise without torchrun"
        )


def core_note(processes: int) -> str:
    """What to know of more processes than cores; empty if there are enough."""
    cores = usable_cores()
    if processes <= cores:
        return ""
    return (
        f"{processes} processes on {cores} core{'s' if cores > 1 else ''}: they wait for each "
        f"other, and more than {cores} are not faster"
    )


@contextmanager
def joined(device: str) -> Iterator[None]:
    """A context in which this process is a rank, if it was started as one.

    Args:
        device: As the user names it. On GPUs each rank has its own.

    Raises:
        RequestError: There are fewer GPUs than ranks, or one GPU was named.
    """
    if world_size() == 1:
        yield
        return
    import torch.distributed as dist

    # Before there is a group: the default arguments of its functions hold the current
    # one, whose threads abort the process at its exit if it is gloo's.
    import torch.distributed.nn  # noqa: F401  # it is imported for what it holds then
    from torch.distributed.distributed_c10d import PrefixStore, Store
    from torch.distributed.rendezvous import rendezvous

    from equipoise.runtime.ranks import Ranks

    backend = _backend(device)
    where = f"file://{os.environ[MEETING]}" if is_started_by_us() else "env://"
    store: Store
    store, this, size = next(rendezvous(where, rank(), world_size()))
    if os.environ.get(LOCAL_WORLD_SIZE) == os.environ[WORLD_SIZE]:
        # torchrun keeps the store of one machine when it starts the processes again.
        store = PrefixStore(f"attempt {os.environ.get(RESTARTS, '0')}", store)
    Ranks.store = store
    end_with_parent()
    dist.init_process_group(
        backend, store=store, rank=this, world_size=size, timeout=timedelta(seconds=timeout())
    )
    try:
        yield
    finally:
        Ranks.store = None
        dist.destroy_process_group()


def _backend(device: str) -> str:
    """The backend for this device; a GPU is made this rank's own."""
    import torch

    kind, _, index = device.partition(":")
    if kind == "cpu" or not torch.cuda.is_available():
        return "gloo"
    if index:
        raise RequestError(
            f"device = {device!r} is one GPU, for {world_size()} processes: give 'cuda', and "
            "choose GPUs by CUDA_VISIBLE_DEVICES"
        )
    here, count = int(os.environ.get(LOCAL_WORLD_SIZE, world_size())), torch.cuda.device_count()
    if here > count:
        raise RequestError(
            f"{here} processes on this machine, and {count} GPU{'s' if count > 1 else ''}: start "
            "one for each, or give device = 'cpu'"
        )
    torch.cuda.set_device(int(os.environ.get(LOCAL_RANK, rank())))
    return "cpu:gloo,cuda:nccl"


def end_with_parent() -> None:
    """Stop the training as SIGTERM does, when the process that started it is gone."""
    lifeline = os.environ.get(LIFELINE)
    if lifeline is None:
        return

    def wait() -> None:
        os.read(int(lifeline), 1)  # returns when the other end is closed
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, daemon=True).start()


def tell_rest(text: str) -> None:
    """Tell the process that started this one what is kept if a rank fails, and how to
    go on, for its messages."""
    if is_started_by_us() and rank() == 0:
        Path(os.environ[MEETING]).with_suffix(REST_SUFFIX).write_text(text)


def start(processes: int, arguments: Sequence[str]) -> int:
    """Run a command in several processes of this machine until all have ended.

    SIGINT and SIGTERM are passed on to all. If one of them is killed or fails, the
    others end too.

    Args:
        processes: How many.
        arguments: The words after `equipoise`.

    Returns:
        The exit status of rank 0.

    Raises:
        RequestError: This system cannot.
        EquipoiseError: One of them was killed or failed, and rank 0 does not say so.
    """
    if not hasattr(os, "fork"):
        raise RequestError(f"processes = {processes}: needs Linux or macOS; leave it out for one")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="equipoise-")))
        meeting, (lifeline, kept) = folder / "meeting", os.pipe()
        stack.callback(os.close, kept)
        children = list[Child]()
        stack.callback(kill, children)
        for number in range(processes):
            child = subprocess.Popen(
                [*program(), *arguments],
                env=_environment(number, processes, meeting, lifeline),
                stdin=subprocess.DEVNULL,
                stdout=None if number == 0 else subprocess.DEVNULL,
                pass_fds=(lifeline,),
                start_new_session=True,  # signals of the terminal come through this process
            )
            children.append(child)
        os.close(lifeline)
        return _Supervisor(children, meeting.with_suffix(REST_SUFFIX)).run()


def program(module: str = "equipoise") -> list[str]:
    """A module as a program, which looks for modules in the working directory if this
    process does."""
    path = [] if os.getcwd() in sys.path or "" in sys.path else ["-P"]
    return [sys.executable, *path, "-m", module]


def _environment(number: int, processes: int, meeting: Path, lifeline: int) -> dict[str, str]:
    loopback = "lo0" if sys.platform == "darwin" else "lo"
    return {
        "GLOO_SOCKET_IFNAME": loopback,  # else gloo asks for the address of the host's name
        **os.environ,
        RANK: str(number),
        LOCAL_RANK: str(number),
        WORLD_SIZE: str(processes),
        LOCAL_WORLD_SIZE: str(processes),
        MEETING: str(meeting),
        LIFELINE: str(lifeline),
    }


def kill(children: Sequence[Child]) -> None:
    """End processes that have not ended by themselves."""
    for child in children:
        if child.poll() is None:
            child.kill()
        child.wait()


class _Supervisor:
    """Waits for processes, passes signals on to them, and ends all after a failure.

    Args:
        children: The processes, by rank.
        rest_file: Where rank 0 says what is kept.
    """

    def __init__(self, children: Sequence[Child], rest_file: Path) -> None:
        self.children, self.rest_file = children, rest_file
        self.signals: list[int] = []
        """That were passed on."""
        self.failed: tuple[int, int] | None = None
        """The first rank that failed, and its exit status."""

    def run(self) -> int:
        """Wait for all, and return the exit status."""
        numbers = (signal.SIGINT, signal.SIGTERM)
        before = {number: signal.signal(number, self._pass_on) for number in numbers}
        try:
            self._wait()
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
        status = self.children[0].returncode
        if self.signals:
            return status if status > 0 else 128 + self.signals[0]
        if self.failed is not None and (self.failed != (0, status) or status < 0):
            raise EquipoiseError(self._description(*self.failed))
        return status

    def _pass_on(self, number: int, _: object) -> None:
        self.signals.append(number)
        self._send(number)

    def _send(self, number: int) -> None:
        for child in self.children:
            if child.poll() is None:
                child.send_signal(number)

    def _wait(self) -> None:
        """Until all have ended. Those that go on after a failure, or a second signal,
        are ended."""
        deadline, remaining = math.inf, [signal.SIGTERM, signal.SIGKILL]
        while any(child.poll() is None for child in self.children):
            if not self.signals and self.failed is None:
                self.failed = self._first_failed()
            if deadline == math.inf and (self.failed is not None or len(self.signals) > 1):
                deadline = time.monotonic() + GRACE
            if time.monotonic() > deadline and remaining:
                self._send(remaining.pop(0))
                deadline = time.monotonic() + GRACE
            time.sleep(POLL)
        self.failed = self.failed or self._first_failed()

    def _first_failed(self) -> tuple[int, int] | None:
        """A rank that has failed, and its exit status: one that a signal has ended,
        rather than one that missed it."""
        failed = [
            (child.returncode, rank) for rank, child in enumerate(self.children) if child.returncode
        ]
        code, number = min(failed, default=(0, 0))
        return (number, code) if code else None

    def _description(self, number: int, code: int) -> str:
        """Which rank failed, and how to go on."""
        how = f"was ended by {signal.Signals(-code).name}" if code < 0 else "has failed"
        again = ""
        if self.rest_file.is_file():
            again = f"; {self.rest_file.read_text()}"
        return f"rank {number} of {len(self.children)} processes {how}{again}"

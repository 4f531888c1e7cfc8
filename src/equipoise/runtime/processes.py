"""Starting the processes that train or sample together, and joining them.

`start` runs the ranks of one machine, each a command like the user's with the variables
that torchrun sets. `joined` makes a process that was started like that, by either of
them, a rank. A script that has a process group of its own needs neither.

torch is imported inside functions: the process that starts the others does not train.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import NoReturn

from equipoise.errors import EquipoiseError, RequestError, first_line
from equipoise.runtime.launch import (
    LIFELINE,
    LOCAL_RANK,
    MEETING,
    RANK,
    WORLD_SIZE,
    is_started_by_us,
    rank,
    timeout,
    world_size,
)
from equipoise.runtime.meeting import store_of_start
from equipoise.runtime.parent import end_with_parent
from equipoise.runtime.supervisor import Child, Supervisor
from equipoise.utils.system import LOCAL_WORLD_SIZE, usable_cores

REST_SUFFIX = ".rest"  # of the file where rank 0 says what is kept


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
        RequestError: There are fewer GPUs than ranks, one GPU was named, or variables
            of the environment are wrong.
        EquipoiseError: The others do not come, cannot be reached, or made a mistake.
    """
    if world_size() == 1:
        yield
        return
    from equipoise.runtime.ranks import Ranks

    try:
        backend = _backend(device)
    except RequestError as error:
        fail_together(error)
    with _process_group(backend):
        with Ranks.current().failing_together():
            pass  # others may have called `fail_together`
        yield


def fail_together(error: EquipoiseError) -> NoReturn:
    """Raise the error of a process that has not joined the others yet. They fail with
    it where they join, so that rank 0 tells of it."""
    if world_size() > 1:
        from equipoise.runtime.ranks import Ranks

        with _process_group("gloo"), Ranks.current().failing_together():
            raise error
    raise error


@contextmanager
def _process_group(backend: str) -> Iterator[None]:
    """A context in which this process is in a group with those that it was started
    with."""
    import torch.distributed as dist

    # Before there is a group: the default arguments of its functions hold the current
    # one, whose threads abort the process at its exit if it is gloo's.
    import torch.distributed.nn  # noqa: F401  # it is imported for what it holds then

    from equipoise.runtime.ranks import LostRankError, Ranks

    seconds, size = timeout(), world_size()
    end_with_parent()
    try:
        store = store_of_start(seconds)
        dist.init_process_group(
            backend, store=store, rank=rank(), world_size=size, timeout=timedelta(seconds=seconds)
        )
    except RuntimeError as error:  # of the network
        why = first_line(error)
        message = f"the {size} processes do not reach each other: {why}"
        raise LostRankError(message, hung=True) from None
    Ranks.store = store
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
        return Supervisor(children, meeting.with_suffix(REST_SUFFIX)).run()


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

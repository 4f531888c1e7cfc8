"""Many samples as files of equal size in one folder: shards.

Several processes make them together, and an interrupted sampling goes on where it was.
A shard is written aside and renamed, so that one that is there is whole. The samples
are the same whatever the size of the shards, the number of processes and the
interruptions, see `Sampler.rows`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from equipoise.errors import EquipoiseError, RequestError
from equipoise.runtime.lockstep import in_step
from equipoise.runtime.ranks import Ranks
from equipoise.sampling.manifest import NAME, Manifest
from equipoise.sampling.sampler import Asked
from equipoise.sampling.shard_formats import ShardFormat
from equipoise.utils.atomic_io import temporary_files
from equipoise.utils.progress_bar import bar

LOCK = ".lock"


@dataclass(frozen=True)
class Task:
    """Shards that are to be made, the same on all ranks."""

    manifest: Manifest
    missing: list[int]
    """The shards that are not there yet."""


@contextmanager
def begun(
    folder: Path, manifest: Manifest, left_open: Collection[str], ranks: Ranks
) -> Iterator[Task]:
    """A context in which the ranks, and nobody else, write shards into a folder.

    Args:
        folder: Is made, unless it is there: empty, or with the same manifest.
        manifest: What its shards will hold.
        left_open: Names of its fields that the user did not ask for. Sampling that goes
            on has those that it began with.
        ranks: The processes, all of which must come here.

    Raises:
        RequestError: The folder holds something else, or ranks differ.
        EquipoiseError: It cannot be written.
    """
    asked = {name: value for name, value in asdict(manifest).items() if name not in left_open}
    ranks.check_equal(asked)
    task: Task | None = None
    with ExitStack() as stack:
        with ranks.failing_together():
            if ranks.is_main:
                stack.enter_context(_locked(folder))
                task = _prepared(folder, manifest, left_open)
        task = ranks.share(task)
        assert task is not None, "rank 0 has prepared it"
        with ranks.failing_together():
            if not (folder / NAME).is_file():
                raise EquipoiseError(
                    f"the folder {folder} of rank 0 is not there: give one on a disk that all "
                    "machines see"
                )
        yield task


def write_shards(
    folder: Path,
    task: Task,
    shards: ShardFormat,
    asked: Asked,
    ranks: Ranks,
    stop_signal: Callable[[], str | None],
) -> None:
    """Make the shards that are missing.

    Args:
        folder: Where they go.
        task: Which ones.
        shards: Writes each.
        asked: All samples.
        ranks: The processes, each of which makes every size-th one.
        stop_signal: Returns the name of a signal that asks to stop.

    Raises:
        StoppedError: After a signal. Shards that are there stay.
        EquipoiseError: A shard cannot be written, or another rank failed.
    """
    manifest, missing = task.manifest, task.missing
    there = manifest.n - sum(len(manifest.span(shard)) for shard in missing)
    shown = bar("Writing samples", manifest.n) if ranks.is_main else nullcontext(_nothing)
    with shown as show:
        show(there)
        with in_step(ranks, show, stop_signal) as done:
            for shard in missing[ranks.rank :: ranks.size]:
                path = manifest.shard_path(folder, shard)
                shards.write(path, asked, manifest.span(shard), done)
    if asked.conditions is not None and missing:
        counts = ranks.of_all((asked.conditions.met, asked.conditions.drawn))
        met, drawn = (sum(of_rank) for of_rank in zip(*counts, strict=True))
        if ranks.is_main:
            replace(manifest, dropped=1 - met / max(drawn, 1)).write(folder)


def _prepared(folder: Path, manifest: Manifest, left_open: Collection[str]) -> Task:
    """The manifest, written where there is none, and what is missing."""
    found = Manifest.read(folder)
    for left in temporary_files(folder):  # of processes that were killed
        with suppress(OSError):
            left.unlink()
    if found is None:
        if {path.name for path in folder.iterdir()} - {LOCK}:
            raise RequestError(
                f"out = {str(folder)!r} exists, and holds other files: give another name, or "
                "remove it first"
            )
        manifest.write(folder)
    else:
        there: dict[str, Any] = {name: getattr(found, name) for name in left_open}
        manifest = replace(manifest, **there)
        manifest.check_same(found, folder)
    return Task(manifest, manifest.missing(folder))


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """A context in which nobody else writes into a folder, which is made."""
    if folder.exists() and not folder.is_dir():
        raise RequestError(
            f"out = {str(folder)!r} is a file: give another name, or remove it first"
        )
    lock = FileLock(folder / LOCK, timeout=0, thread_local=False)
    try:
        folder.mkdir(exist_ok=True)
        lock.acquire()
    except Timeout:
        raise RequestError(
            f"another process writes samples into {folder}: wait for its end, or give another "
            "folder"
        ) from None
    except (OSError, NotImplementedError) as error:  # the latter on disks without locks
        why = getattr(error, "strerror", None) or error
        raise EquipoiseError(f"{folder} could not be written: {why}") from error
    try:
        yield
    finally:
        lock.release()


def _nothing(_: int) -> None:
    """Show no progress."""

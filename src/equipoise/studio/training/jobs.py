"""Trainings as processes of their own: `equipoise train`, which goes on whatever
becomes of the server or of the page, and is found again by its files.

What is remembered of one is a folder beside the runs, `.studio/runs/NAME`: the command,
which process it is, and what it printed. All else is in the run directory, which the
command line resumes, and the other way round.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from itertools import count
from pathlib import Path
from typing import Any

from equipoise.errors import EquipoiseError, RequestError
from equipoise.runs.directory import LOCK
from equipoise.runs.holder import Holder
from equipoise.studio.training import commands
from equipoise.utils.atomic_io import read_file, write_atomic

MAX_JOB_BYTES, MAX_OUTPUT_BYTES = 2**20, 2**24
SHOWN_LINES = 200  # of what a training printed
MEMORY = ".studio"
UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(frozen=True)
class Job:
    """A training that the page started, or went on with."""

    words: list[str]
    """What was typed after `equipoise`."""
    holder: Holder
    """The process."""
    data: str | None
    """What it trains on, as the page knows it; None for a run that began elsewhere."""

    @property
    def is_alive(self) -> bool:
        """Whether the process is there."""
        return self.holder.is_here and self.holder.is_alive


def _plain(text: str) -> str:
    """A text without what names of files should not have."""
    return UNSAFE.sub("-", text).strip("-.")


class Jobs:
    """The trainings of one folder of runs.

    Args:
        folder: Of the runs.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._resuming = threading.Lock()

    def start(self, data: str, recipe: str, choices: Mapping[str, Any], stem: str) -> str:
        """Start a training, and return the name of its run.

        Args:
            data: A file, a folder or a built-in source.
            recipe: The recipe's name.
            choices: Settings of the recipe and the run by name.
            stem: What the run is called, before its recipe and its number.

        Raises:
            RequestError: There is no such recipe, or a setting could not be typed.
            EquipoiseError: The process could not be started.
        """
        from equipoise.recipes import find

        find(recipe)
        commands.option_words(choices)  # before a name is taken
        name = self._take_name("-".join(_plain(part) or "run" for part in (stem, recipe)))
        self._run(name, commands.train_words(data, recipe, choices, self.folder / name), data)
        return name

    def resume(self, run: Path, choices: Mapping[str, Any]) -> None:
        """Go on with a run, in a new process.

        Raises:
            RequestError: It is being trained, or a setting could not be typed.
        """
        words = commands.resume_words(run, choices)
        with self._resuming:  # of two tabs one begins
            if self.is_busy(run):
                raise RequestError(f"{run.name} is being trained: stop it first")
            earlier = self.job(run.name)
            self._memory(run.name).mkdir(parents=True, exist_ok=True)
            self._run(run.name, words, None if earlier is None else earlier.data)

    def stop(self, run: Path) -> None:
        """Ask a training to save and stop.

        Raises:
            RequestError: No process of this machine trains it.
        """
        holder = self._holder(run)
        if holder is None:
            raise RequestError(f"{run.name} is not being trained here")
        with suppress(ProcessLookupError):
            os.kill(holder.pid, signal.SIGTERM)

    def forget(self, run: Path) -> None:
        """Forget a training that ended before there was a run.

        Raises:
            RequestError: There is a run, or there may be one yet.
        """
        if run.parent != self.folder or run.exists() or self.is_busy(run):
            raise RequestError(f"{run.name} is a run: remove its folder yourself")
        shutil.rmtree(self._memory(run.name), ignore_errors=True)

    def is_busy(self, run: Path) -> bool:
        """Whether a process of this machine trains or measures it."""
        return self._holder(run) is not None

    def job(self, name: str) -> Job | None:
        """What is remembered of a training; None for one of the command line."""
        try:
            stored = json.loads(read_file(self._memory(name) / "job.json", MAX_JOB_BYTES))
            holder = Holder(**stored.pop("holder"))
            return Job(holder=holder, **stored)
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            return None

    def names(self) -> list[str]:
        """The trainings that are remembered."""
        folder = self.folder / MEMORY / "runs"
        return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []

    def output(self, name: str) -> list[str]:
        """The last lines that a training printed."""
        try:
            text = read_file(self._memory(name) / "output.txt", MAX_OUTPUT_BYTES)
        except OSError:
            return []
        return text.decode(errors="replace").splitlines()[-SHOWN_LINES:]

    def failure(self, name: str) -> str:
        """Why a training ended before there was a run, or after; empty if it did not
        say."""
        said = [line for line in self.output(name) if line.startswith("equipoise: ")]
        return said[-1].removeprefix("equipoise: ") if said else ""

    def _holder(self, run: Path) -> Holder | None:
        """The process that trains or measures a run, here and alive; None without
        one."""
        job = self.job(run.name) if run.parent == self.folder else None
        of_lock = Holder.read(run / LOCK)
        for holder in (of_lock, None if job is None else job.holder):
            if holder is not None and holder.is_here and holder.is_alive:
                return holder
        return None

    def _memory(self, name: str) -> Path:
        return self.folder / MEMORY / "runs" / name

    def _take_name(self, stem: str) -> str:
        """The next free name of a run, taken."""
        for number in count():
            name = f"{stem}-{number}"
            if (self.folder / name).exists():
                continue
            with suppress(FileExistsError):
                self._memory(name).mkdir(parents=True)
                return name
        raise AssertionError("there is always a next number")

    def _run(self, name: str, words: Sequence[str], data: str | None) -> None:
        output = self._memory(name) / "output.txt"
        try:
            with output.open("ab") as file:
                file.write(f"$ {commands.line(words)}\n".encode())
                file.flush()
                process = subprocess.Popen(
                    commands.command(words),
                    stdin=subprocess.DEVNULL,
                    stdout=file,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,  # what ends the server does not end it
                )
        except OSError as error:
            raise EquipoiseError(
                f"the training could not be started: {error.strerror or error}"
            ) from error
        job = {"words": [*words], "holder": asdict(Holder.of(process.pid)), "data": data}
        write_atomic(self._memory(name) / "job.json", json.dumps(job).encode())
        # Takes its exit status: until then the process counts as there.
        threading.Thread(target=process.wait, daemon=True).start()

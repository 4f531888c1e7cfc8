"""Files to take home: what `equipoise sample` and `equipoise export` write, in a
process of their own with a limit of time."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO

from equipoise.errors import EquipoiseError, RequestError
from equipoise.studio.training.commands import command
from equipoise.studio.training.jobs import MEMORY

SECONDS = 1800.0


def written(words: Callable[[Path], list[str]], name: str, folder: Path) -> BinaryIO:
    """The file that a command writes, open; it goes when it is closed.

    Args:
        words: What is typed after `equipoise` to write a file.
        name: Of the file, with the ending of its format.
        folder: Of the runs, in which there is room.

    Raises:
        RequestError: The command refuses it, or it takes too long.
        EquipoiseError: It failed.
    """
    place = folder / MEMORY / "downloads"
    place.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=place) as inside:
        out = Path(inside) / name
        process = subprocess.Popen(
            command(words(out)),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        try:
            _, said = process.communicate(timeout=SECONDS)
        except subprocess.TimeoutExpired:
            raise RequestError(
                f"writing this took longer than {SECONDS:,.0f} seconds: ask for less, or use the "
                "command line"
            ) from None
        finally:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        if process.returncode:
            lines = said.decode(errors="replace").strip().splitlines()
            why = (lines[-1] if lines else "it was ended").removeprefix("equipoise: ")
            raise (RequestError if process.returncode == 2 else EquipoiseError)(why)
        return out.open("rb")

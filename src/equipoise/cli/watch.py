"""`equipoise train --watch`: the studio's page of a run, while it trains.

The page is served by a process of its own, so that the training has its core to itself,
at a lower priority. It ends with the training's process, however that ends.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path

from equipoise.cli.output import echo
from equipoise.errors import RequestError
from equipoise.runtime.launch import LIFELINE, LOCAL_RANK, MEETING, RANK, WORLD_SIZE

PACKAGES = ("starlette", "uvicorn", "websockets")  # of the extra studio
# Variables by which the page's process would take itself for one that trains.
OF_RANKS = (RANK, LOCAL_RANK, WORLD_SIZE, MEETING)


def require_studio() -> None:
    """Raises:
    RequestError: The extra `studio` is not installed."""
    missing = [name for name in PACKAGES if find_spec(name) is None]
    if missing:
        raise RequestError(f"the studio needs {missing[0]}: pip install 'equipoise[studio]'")


@contextmanager
def watched(run: Path) -> Iterator[None]:
    """Show the page of a run meanwhile, and in a terminal until Ctrl-C after it."""
    ours, theirs = os.pipe()
    environment = {name: value for name, value in os.environ.items() if name not in OF_RANKS}
    environment[LIFELINE] = str(ours)
    command = [sys.executable, "-m", "equipoise", "studio", str(run)]
    # In a session of its own: Ctrl-C is for the training, which saves.
    page = subprocess.Popen(command, pass_fds=[ours], env=environment, start_new_session=True)
    os.close(ours)
    try:
        yield
        if sys.stdout.isatty() and page.poll() is None:
            echo("The page goes on until Ctrl-C.")
            with suppress(KeyboardInterrupt):
                page.wait()
    finally:
        os.close(theirs)
        page.terminate()
        page.wait()

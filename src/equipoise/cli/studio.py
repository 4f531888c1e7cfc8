"""`equipoise studio`: serves the local page."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec

from equipoise.cli.options import Studio
from equipoise.cli.output import echo
from equipoise.cli.parser import parse
from equipoise.errors import RequestError

NEEDS = ("starlette", "uvicorn", "websockets")
MAX_PORT = 65535
MIN_TOKEN = 16  # characters


def studio(arguments: Sequence[str]) -> None:
    """equipoise studio [RUN ...]"""
    options = parse(Studio, "studio", arguments)
    problems = list(_problems(options))
    if problems:
        raise RequestError("; ".join(problems))
    from equipoise.runs.status import RunStatus
    from equipoise.studio.server import serve
    from equipoise.studio.state import Studio as State

    for run in options.runs:
        RunStatus.read(run)
    state = State(options.runs, options.folder, options.max_upload, options.token)
    serve(state, options.host, options.port, browser=options.browser, tell=echo)


def _problems(options: Studio) -> list[str]:
    """What is wrong with the options."""
    found = []
    missing = [name for name in NEEDS if find_spec(name) is None]
    if missing:
        found.append(f"the studio needs {missing[0]}: pip install 'equipoise[studio]'")
    if options.port is not None and not 0 <= options.port <= MAX_PORT:
        found.append(f"--port {options.port}: a port is from 0 to {MAX_PORT}")
    if options.token is not None and len(options.token) < MIN_TOKEN:
        found.append(
            f"--token has {len(options.token)} characters: at least {MIN_TOKEN} are needed"
        )
    if options.max_upload < 1:
        found.append(f"--max-upload {options.max_upload}: at least 1 byte")
    return found

"""`equipoise studio`: serves the local page."""

from __future__ import annotations

import os
from collections.abc import Sequence

from equipoise.cli.options import Studio
from equipoise.cli.output import echo
from equipoise.cli.parser import parse
from equipoise.cli.watch import require_studio
from equipoise.errors import RequestError
from equipoise.runtime.launch import LIFELINE

MAX_PORT, NICENESS = 65535, 10
MIN_TOKEN = 16  # characters


def studio(arguments: Sequence[str]) -> None:
    """equipoise studio [RUN ...]"""
    options = parse(Studio, "studio", arguments)
    require_studio()
    problems = list(_problems(options))
    if problems:
        raise RequestError("; ".join(problems))
    from equipoise.runs.status import RunStatus
    from equipoise.studio.server import serve
    from equipoise.studio.state import Studio as State

    for run in options.runs:
        RunStatus.read(run)
    if LIFELINE in os.environ:  # this is the page of a training, which goes first
        from equipoise.runtime.parent import end_with_parent

        end_with_parent()
        os.nice(NICENESS)
    state = State(options.runs, options.folder, options.max_upload, options.token)
    page = f"run/{options.runs[0].name}" if len(options.runs) == 1 else ""
    serve(state, options.host, options.port, page=page, browser=options.browser, tell=echo)


def _problems(options: Studio) -> list[str]:
    """What is wrong with the options."""
    found = []
    if options.port is not None and not 0 <= options.port <= MAX_PORT:
        found.append(f"--port {options.port}: a port is from 0 to {MAX_PORT}")
    if options.token is not None and len(options.token) < MIN_TOKEN:
        found.append(
            f"--token has {len(options.token)} characters: at least {MIN_TOKEN} are needed"
        )
    if options.max_upload < 1:
        found.append(f"--max-upload {options.max_upload}: at least 1 byte")
    return found

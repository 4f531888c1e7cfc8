"""How this process was started: alone, or by torchrun or `processes.start` as one of
several, which say so by environment variables.

The command line asks for it before anything else, so nothing is imported but `os`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

# Variables of torchrun.
RANK, LOCAL_RANK, WORLD_SIZE = "RANK", "LOCAL_RANK", "WORLD_SIZE"
RESTARTS, JOB = "TORCHELASTIC_RESTART_COUNT", "TORCHELASTIC_RUN_ID"
# Variables that `start` sets: the file where its processes meet, and the end of a pipe
# that is closed when it is gone.
MEETING, LIFELINE = "EQUIPOISE_MEETING", "EQUIPOISE_LIFELINE"
# Seconds after which a process that does not answer counts as lost, of a variable.
TIMEOUT, DEFAULT_TIMEOUT, MAX_TIMEOUT = "EQUIPOISE_TIMEOUT", 600.0, 1e6


def world_size(environment: Mapping[str, str] = os.environ) -> int:
    """The number of processes that this one was started with; 1 for one alone."""
    size = environment.get(WORLD_SIZE, "1")
    return int(size) if size.isdecimal() and RANK in environment else 1


def rank(environment: Mapping[str, str] = os.environ) -> int:
    """Number of this process among those that it was started with."""
    given = environment.get(RANK, "0")
    return int(given) if given.isdecimal() and world_size(environment) > 1 else 0


def is_started_by_us(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether `start` started this process, and tells how the others ended."""
    return MEETING in environment


def is_started_by_torchrun(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether torchrun started this process, maybe as the only one."""
    return JOB in environment and RANK in environment and not is_started_by_us(environment)


def was_restarted(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether torchrun started the processes again after one had failed."""
    return environment.get(RESTARTS, "0") not in ("", "0")


def timeout(environment: Mapping[str, str] = os.environ) -> float:
    """Seconds after which a process that does not answer counts as lost.

    Raises:
        RequestError: The variable has no such number.
    """
    given = environment.get(TIMEOUT, "")
    try:
        seconds = float(given) if given else DEFAULT_TIMEOUT
    except ValueError:
        seconds = 0.0
    if 1 <= seconds <= MAX_TIMEOUT:
        return seconds
    from equipoise.errors import RequestError

    raise RequestError(f"{TIMEOUT} = {given!r}: must be seconds, from 1 to {MAX_TIMEOUT:g}")

"""How this process was started: alone, or by torchrun or `processes.start` as one of
several, which say so by environment variables.

The command line asks for it before anything else, so nothing is imported but `os`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

# Variables of torchrun.
RANK, LOCAL_RANK, WORLD_SIZE = "RANK", "LOCAL_RANK", "WORLD_SIZE"
LOCAL_WORLD_SIZE = "LOCAL_WORLD_SIZE"
RESTARTS = "TORCHELASTIC_RESTART_COUNT"
# Variables that `start` sets: the file where its processes meet, and the end of a pipe
# that is closed when it is gone.
MEETING, LIFELINE = "EQUIPOISE_MEETING", "EQUIPOISE_LIFELINE"


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


def was_restarted(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether torchrun started the processes again after one had failed."""
    return environment.get(RESTARTS, "0") not in ("", "0")

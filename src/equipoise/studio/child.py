"""Work on data that a stranger may have made, in a process of its own with limits of
time and memory: whatever a file leads a library to do, the server goes on.

`call` runs one of `TASKS` by `python -m equipoise.studio.child NAME`. Arguments and
result are JSON, on stdin and stdout.
"""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import redirect_stdout, suppress
from importlib import import_module
from typing import Any

from equipoise.errors import EquipoiseError, RequestError, first_line
from equipoise.utils.system import GIB, available_memory

# By name the module and the function, which takes keywords and returns JSON.
TASKS = {
    "understand": "equipoise.studio.training.understanding:understand",
    "unpack": "equipoise.studio.training.unpacking:unpack",
    "estimate": "equipoise.studio.training.estimates:estimate",
}
MEMORY_SHARE = 0.75  # of what is free
MIN_MEMORY = GIB  # bytes, which torch and pandas alone may take
SECONDS = 600.0
MIN_CPU = 60  # seconds
MAX_RESULT = 2**24  # bytes


def call(task: str, arguments: Mapping[str, Any], seconds: float = SECONDS) -> dict[str, Any]:
    """The result of a task.

    Args:
        task: Its name.
        arguments: Its keywords, as JSON has them.
        seconds: After which it is ended.

    Raises:
        RequestError: The data or the request is wrong, or takes too long or too much
            memory.
        EquipoiseError: The task failed.
    """
    process = subprocess.Popen(
        [sys.executable, "-m", "equipoise.studio.child", task],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    given = {"arguments": dict(arguments), "memory": memory_limit(), "seconds": seconds}
    try:
        out, err = process.communicate(json.dumps(given).encode(), timeout=seconds)
    except subprocess.TimeoutExpired:
        raise RequestError(
            f"this took longer than {seconds:,.0f} seconds, and was ended: train by the command "
            "line, which has no such limit"
        ) from None
    finally:
        _end(process)
    if process.returncode == 0 and len(out) <= MAX_RESULT:
        answer: dict[str, Any] = json.loads(out)
        if "wrong" in answer:
            raise RequestError(answer["wrong"])
        if "failed" in answer:
            raise EquipoiseError(answer["failed"])
        result: dict[str, Any] = answer["result"]
        return result
    if process.returncode < 0:
        raise RequestError(
            f"reading this was ended by signal {-process.returncode}: it takes more memory or time "
            "than there is"
        )
    lines = err.decode(errors="replace").strip().splitlines()
    raise EquipoiseError(f"{task} failed: {lines[-1] if lines else 'it gave no result'}")


def memory_limit() -> int | None:
    """Bytes that a task may take; None where the free memory is not known."""
    free = available_memory()
    return None if free is None else max(round(MEMORY_SHARE * free), MIN_MEMORY)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a task, and all that it started."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream is not None:
            stream.close()


def main(task: str) -> None:
    """Run one task in this process, with its limits."""
    given = json.load(sys.stdin)
    _limit(given["memory"], given["seconds"])
    module, _, function = TASKS[task].partition(":")
    try:
        with redirect_stdout(sys.stderr):
            answer = {"result": getattr(import_module(module), function)(**given["arguments"])}
    except RequestError as error:
        answer = {"wrong": str(error)}
    except EquipoiseError as error:
        answer = {"failed": str(error)}
    except MemoryError:
        answer = {"wrong": "this takes more memory than is free: give less data"}
    except OSError as error:
        answer = {"failed": f"{error.filename or task}: {error.strerror or first_line(error)}"}
    except RuntimeError as error:
        if "memory" not in str(error).lower():
            raise
        answer = {"wrong": "this takes more memory than is free: give less data"}
    json.dump(answer, sys.stdout, allow_nan=False)


def _limit(memory: int | None, seconds: float) -> None:
    """Limit what this process may take, where the system can."""
    try:
        import resource
    except ImportError:  # Windows
        return
    # Compiled code takes addresses without taking memory: only data is limited.
    if memory is not None:
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))
    # Not below what starting takes: who waits ends it in time, with the right words.
    most = max(MIN_CPU, math.ceil(seconds)) * (os.cpu_count() or 1)
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_CPU, (most, most))
    with suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:
        file.write("1000")  # the system ends this process before any other


if __name__ == "__main__":
    main(sys.argv[1])

"""What keeps the tests apart from the machine that they run on, and each test from
those that ran before it: no home directory and no setting of a shell is read, nothing
outside of temporary directories is written, and random numbers are the same whatever
ran before."""

from __future__ import annotations

import os
import random
import sys
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).resolve().parents[1]
# A shell's settings that change what is printed, and where a connection goes.
PRINTING = (
    "COLUMNS",
    "LINES",
    "NO_COLOR",
    "FORCE_COLOR",
    "TTY_COMPATIBLE",
    "MPLBACKEND",
    "MPLCONFIGDIR",
)
PROXIES = ("http_proxy", "https_proxy", "all_proxy")
FOREIGN = (*PRINTING, *PROXIES, *map(str.upper, PROXIES))
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
# Audit events by which of their arguments is the path that is changed.
CHANGES = {"os.mkdir": 0, "os.remove": 0, "os.rmdir": 0, "shutil.rmtree": 0}
CHANGES |= {"os.rename": 1, "os.link": 1, "os.symlink": 1}
OWN_CACHES = ("__pycache__", ".pytest_cache")  # Python's and pytest's


def register_profiles() -> None:
    """`fixed` draws the same examples in every run of the same test and the same
    Hypothesis, `search` many new ones. Neither has a limit of time, which a busy
    machine would exceed."""
    common: dict[str, Any] = {
        "deadline": None,
        "database": None,
        "suppress_health_check": [HealthCheck.too_slow],
    }
    settings.register_profile("fixed", derandomize=True, max_examples=60, **common)
    settings.register_profile(
        "search", derandomize=False, max_examples=3000, print_blob=True, **common
    )
    settings.load_profile("fixed")


def draw_no_constants_of_loaded_modules() -> None:
    """Hypothesis takes some values from the constants of all modules loaded so far.

    What a derandomised test draws would depend on which tests ran before it in its
    process.
    """
    from hypothesis.internal.conjecture import providers

    none = providers.Constants()
    providers._get_local_constants = lambda: none


def own_environment(home: Path) -> None:
    """Home directory, caches and settings of this run's own, for all processes that it
    starts."""
    home.mkdir(parents=True)
    for name in FOREIGN:
        os.environ.pop(name, None)
    if data := os.environ.get("EQUIPOISE_DATA"):  # tests have working directories of their own
        os.environ["EQUIPOISE_DATA"] = str(Path(data).resolve())
    os.environ |= {
        "HOME": str(home),
        "XDG_CACHE_HOME": str(home / ".cache"),
        "XDG_CONFIG_HOME": str(home / ".config"),
        "XDG_DATA_HOME": str(home / ".local/share"),
        "HYPOTHESIS_STORAGE_DIRECTORY": str(home / "hypothesis"),
        "TORCHINDUCTOR_CACHE_DIR": str(home / "inductor"),
        "TORCHINDUCTOR_COMPILE_THREADS": "1",
    }


def same_random_numbers(module: ModuleType | None) -> None:
    """Python's, NumPy's and torch's own generators and the `RNG` of a test module begin
    anew."""
    random.seed(0)
    np.random.seed(0)
    torch.manual_seed(0)
    rng = getattr(module, "RNG", None)
    if isinstance(rng, np.random.Generator):
        rng.bit_generator.state = np.random.default_rng(0).bit_generator.state


class Writes:
    """Files and folders that this process opened to write, made, moved or removed
    outside of the `allowed` folders, and in the project's own folder wherever that is.
    """

    def __init__(self, allowed: Iterable[Path]) -> None:
        self.allowed = [
            *map(os.path.realpath, allowed),
            "/dev",
            "/proc",
            "/memfd:equipoise (deleted)",
        ]
        self.found: list[str] = []

    def watch(self) -> None:
        """From now on; Python has no way to take an audit hook back."""
        sys.addaudithook(self.audit)

    def audit(self, event: str, given: tuple[Any, ...]) -> None:
        if event == "open":
            path, mode, flags = given
            writes = (
                bool(flags & WRITING) if mode is None else not {"w", "a", "x", "+"}.isdisjoint(mode)
            )
            if writes:
                self.look(event, path)
        elif event in CHANGES and given[-1] in (-1, None):  # else in an open folder's descriptor
            made = event == "os.mkdir" and os.path.isdir(given[0])  # already, which is no change
            if not made:
                self.look(event, given[CHANGES[event]])

    def look(self, event: str, path: Any) -> None:
        if not isinstance(path, str | bytes | os.PathLike):  # a descriptor, of what was open
            return
        place = os.path.realpath(os.fsdecode(path))
        allowed = not within(place, str(ROOT)) and any(
            within(place, folder) for folder in self.allowed
        )
        if not allowed and not any(name in place.split(os.sep) for name in OWN_CACHES):
            self.found.append(f"{event} {place}")


def within(place: str, folder: str) -> bool:
    return place == folder or place.startswith(folder + os.sep)

"""What a training was predicted to take of memory (`training.memory.predict`) beside
the resident set of four steps, each run in a process of its own. Linux only, where a
process can ask for its peak anew.

    python -m benchmarks.memory

Results go to benchmarks/results.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks.results import record

MIB = 2**20
STEPS: list[tuple[str, str, dict[str, Any]]] = [
    ("gaussian", "balanced", {}),
    ("ring", "balanced", {}),
    ("ring", "balanced", {"batch_size": 65_536}),
    ("mnist", "balanced", {"batch_size": 32}),
    ("mnist", "balanced", {"batch_size": 128}),
    ("mnist", "balanced", {"batch_size": 512}),
    ("mnist", "dcgan", {"batch_size": 64}),
    ("mnist", "dcgan", {"batch_size": 512}),
    ("noise", "balanced", {"batch_size": 32}),
    ("noise", "dcgan", {"batch_size": 64}),
]


def resident(what: str) -> int:
    """Bytes, by the name that /proc has: VmRSS now, VmHWM at most since the start or
    `forget`; getrusage would count what a parent held."""
    line = next(
        line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(what)
    )
    return int(line.split()[1]) * 1024


def forget() -> None:
    """The peak is counted from now."""
    Path("/proc/self/clear_refs").write_text("5")


def measure(data: str, recipe: str, choices: dict[str, Any]) -> list[str]:
    """Train in this process; a row of the table."""
    import numpy as np

    from equipoise import GAN
    from equipoise.training.events import Control
    from equipoise.training.loop import Clock, train
    from equipoise.training.memory import predict

    given = (
        np.random.default_rng(0).integers(0, 256, (3000, 3, 64, 64), np.uint8)
        if data == "noise"
        else data
    )
    training = GAN(recipe, threads=1, **choices).trainer(given, to_disk=False)
    size = training.recipe.batch_size
    transform, device = training.sampler.transform, training.device
    predicted = predict(training.source, training.recipe, transform, device)
    used = resident("VmRSS")
    forget()
    clock = Clock(training.state, 4 * size * training.recipe.discriminator_steps, None)
    with training.speed.torch_settings():
        for _ in train(training.state, clock, Control()):
            pass
    expected, real = used + predicted.needed(size), resident("VmHWM")
    sizes = (used / MIB, predicted.step.at(size) / MIB, expected / MIB, real / MIB)
    return [
        data,
        recipe,
        str(size),
        *[f"{value:.0f}" for value in sizes],
        f"{expected / real:.2f}",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", type=int, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.only is not None:
        print(json.dumps(measure(*STEPS[asked.only])))
        return
    command = ["python", "-m", "benchmarks.memory"]
    rows = [
        [
            "data",
            "recipe",
            "batch",
            "used before, MiB",
            "a step, MiB",
            "predicted peak, MiB",
            "peak, MiB",
            "predicted / real",
        ]
    ]
    for number in range(len(STEPS)):
        again = [sys.executable, *command[1:], "--only", str(number)]
        done = subprocess.run(
            again,
            check=True,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            stdout=subprocess.PIPE,
            text=True,
        )
        rows.append(json.loads(done.stdout.splitlines()[-1]))
        print(" | ".join(rows[-1]), flush=True)
    record(shlex.join(command), "1 thread, every run in a process of its own.", rows)


if __name__ == "__main__":
    main()

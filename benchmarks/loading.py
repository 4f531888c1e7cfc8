"""Loading a folder of images: the first start, which decodes it, the ones after, and
how fast batches come from what is kept.

    python -m benchmarks.loading
        100,000 images of 32 x 32; streams of 28 x 28 grey and 64 x 64 colour
    python -m benchmarks.loading --images 2000 --streamed 1000 --rounds 1

The images are made in a temporary folder, and so is the data home. A start is
`open_source` in a process of its own. Streaming is compared with resident training by
whole steps of `balanced`, batches of 64, in turns of some steps each; a stream begins
every turn with nothing fetched ahead, and a cold one with nothing of its file in the
system's page cache. The result goes to benchmarks/results. Run it on an
otherwise idle machine.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from benchmarks.results import record
from equipoise.data.factory import open_source
from equipoise.data.images.cache import decoded
from equipoise.data.loading import Loader
from equipoise.data.sources import Source
from equipoise.recipes import find
from equipoise.recipes._building import build_method
from equipoise.training.state import State
from equipoise.training.step import adversarial_step
from equipoise.transforms.scaling import fit_scaling

START = """
import json, sys, time
began = time.perf_counter()
from equipoise.data.factory import open_source
imported = time.perf_counter()
open_source(sys.argv[1], memory_budget=float(sys.argv[2]))
print(json.dumps([imported - began, time.perf_counter() - imported, time.process_time()]))
"""
BATCH, SMALL, LARGE = 64, 1e-9, 64.0  # images a batch; GiB that hold nothing, and all
STREAMS = {"28 x 28, grey": ((28, 28), "L"), "64 x 64, colour": ((64, 64), "RGB")}


def make_images(folder: Path, n: int, size: tuple[int, int], mode: str) -> None:
    """Write n smooth images of noise as PNG files."""
    rng = np.random.default_rng(0)
    folder.mkdir(parents=True)
    for i in range(n):
        coarse = Image.fromarray(rng.integers(0, 256, (8, 8, 3)).astype(np.uint8)).convert(mode)
        coarse.resize(size, Image.Resampling.BILINEAR).save(folder / f"{i:06}.png")


def start(folder: Path, budget: float) -> list[float]:
    """Seconds of one start in a process of its own: whole, imports, open_source, CPU
    time."""
    began = time.perf_counter()
    ran = subprocess.run(
        [sys.executable, "-c", START, str(folder), str(budget)],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return [time.perf_counter() - began, *json.loads(ran.stdout)]


def starts(folder: Path, rounds: int) -> list[list[str]]:
    """The table of starts: the first, and the medians of those after it."""
    heads = ["start", "whole process, s", "of it imports", "of it open_source", "CPU time, s"]
    rows = [heads]

    def add(name: str, times: list[list[float]]) -> None:
        cells = (f"{statistics.median(column):.2f}" for column in zip(*times, strict=True))
        rows.append([name, *cells])
        print(" | ".join(rows[-1]), flush=True)

    add("the first: decoded", [start(folder, LARGE)])
    add("again, into memory", [start(folder, LARGE) for _ in range(rounds)])
    add("again, larger than memory_budget", [start(folder, SMALL) for _ in range(rounds)])
    for path in folder.iterdir():
        path.touch()
    add("every file touched: read, not decoded", [start(folder, LARGE)])
    return rows


def stepper(source: Source) -> tuple[Loader, Callable[[], None]]:
    """A feed, and one step of `balanced` on its next batch."""
    recipe = find("balanced").for_data(source.schema, {"batch_size": BATCH})
    loader = source.loader(
        BATCH, fit_scaling(source, recipe.scaling, 0).scaled, torch.device("cpu"), 0
    )
    method = build_method(recipe, source.schema, 0)
    state, rates = State(method, recipe, loader, 0, torch.device("cpu")), method.schedule(0.0, 0)
    state.apply(rates)

    def step() -> None:
        adversarial_step(state, rates)
        state.samples_seen += BATCH

    return loader, step


def turn(step: Callable[[], None], steps: int) -> list[float]:
    """Seconds of each of some steps."""
    times = [time.perf_counter()]
    for _ in range(steps):
        step()
        times.append(time.perf_counter())
    return [after - before for before, after in pairwise(times)]


def forget(pixels: Path) -> None:
    """Drop a file that nothing has mapped from the system's page cache."""
    with pixels.open("rb") as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def stream(name: str, folder: Path, rounds: int, steps: int) -> list[str]:
    """A row of the table of streams: medians over the steps of interleaved turns."""
    _, resident = stepper(open_source(folder, memory_budget=LARGE))
    loader, warm = stepper(open_source(folder, memory_budget=SMALL))
    turn(resident, 2)
    turn(warm, 2)
    times: tuple[list[float], ...] = ([], [], [], [])
    for _ in range(rounds):
        times[0].extend(turn(resident, steps))
        loader.restore(loader.position())  # what it has fetched meanwhile is dropped
        times[1].extend(turn(warm, steps))
    pixels = decoded(folder).pixels
    del loader, warm  # and with them the mapping, which keeps pages from being dropped
    for _ in range(rounds):
        forget(pixels)
        _, cold = stepper(open_source(folder, memory_budget=SMALL))
        times[2].extend(turn(resident, steps))
        times[3].extend(turn(cold, steps))
        del cold
    one, other, base, cold_one = (statistics.median(steps_of) for steps_of in times)
    row = [
        name,
        f"{one * 1e3:.1f}",
        f"{other * 1e3:.1f}",
        f"{one / other:.1%}",
        f"{cold_one * 1e3:.1f}",
        f"{base / cold_one:.1%}",
    ]
    print(" | ".join(row), flush=True)
    return row


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--images", type=int, default=100_000, help="files of the folder that starts are timed on"
    )
    parser.add_argument(
        "--streamed", type=int, default=20_000, help="files of the folders that are streamed"
    )
    parser.add_argument(
        "--rounds", type=int, default=9, help="repetitions that medians are taken of"
    )
    parser.add_argument("--steps", type=int, default=20, help="steps of a turn")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        os.environ["EQUIPOISE_DATA"] = str(Path(made, "home"))
        make_images(Path(made, "starts"), options.images, (32, 32), "RGB")
        started = starts(Path(made, "starts"), options.rounds)
        heads = "images, resident ms a step, streamed, speed, streamed cold, speed cold"
        streams = [heads.split(", ")]
        for name, (size, mode) in STREAMS.items():
            folder = Path(made, name)
            make_images(folder, options.streamed, size, mode)
            streams.append(stream(name, folder, options.rounds, options.steps))
    command = shlex.join(["python", "-m", "benchmarks.loading", *sys.argv[1:]])
    record(
        command,
        f"{torch.get_num_threads()} thread(s).",
        f"{options.images:,} PNG files of 32 x 32, colour:",
        started,
        f"{options.streamed:,} PNG files each:",
        streams,
    )


if __name__ == "__main__":
    main()

"""The studio under load: what being watched costs a training, how fast frames come, and
how long samples take to be answered.

    python -m benchmarks.studio
    python -m benchmarks.studio --viewers 50 --requests 1000 --seconds 20

The server is a process of its own on this machine, and so are those who ask it. First a
training of the page Learn runs at full speed, watched by nobody, by one viewer and by
all; then `equipoise train ring` trains alone, and with its page open (--watch) and
viewers. The two are taken in turns. Last, samples of that run are asked for. The result
goes to benchmarks/results. Run it on an otherwise idle machine.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import shlex
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import websockets

from benchmarks.results import record

EQUIPOISE = [sys.executable, "-m", "equipoise"]
HEADERS = {"X-Equipoise": "1"}
AT_ONCE = 8  # requests of samples that are under way
ROUNDS = 3
MOST_LOSS = 0.1  # goal
LEARN = {"1-D": "gaussian", "2-D": "ring"}


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The address of a studio, while it runs."""
    command = [*EQUIPOISE, "studio", "--no-browser", "--port", "0", "--folder", str(folder)]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    try:
        yield server.stdout.readline().split("studio: ")[1].strip().rstrip("/")
    finally:
        server.terminate()
        server.wait()


async def view(address: str, channel: str, seconds: float) -> int:
    """The values that one viewer gets of a channel in some seconds."""
    got, end = 0, time.monotonic() + seconds
    async with websockets.connect(
        address.replace("http", "ws") + "/api/live", max_size=None
    ) as tab:
        await tab.send(json.dumps({"subscribe": channel}))
        while (left := end - time.monotonic()) > 0:
            try:
                await asyncio.wait_for(tab.recv(), left)
            except TimeoutError:
                break
            got += 1
    return got


def frames(address: str, channel: str, viewers: int, seconds: float) -> list[float]:
    """Values a second that each viewer gets."""

    async def all_of_them() -> list[int]:
        return await asyncio.gather(*(view(address, channel, seconds) for _ in range(viewers)))

    if not viewers:
        time.sleep(seconds)
        return []
    return [got / seconds for got in asyncio.run(all_of_them())]


def learning(address: str, seconds: float, viewers: Sequence[int]) -> Iterator[list[str]]:
    """A row for each kind of data and number of viewers: steps a second of the training
    that the page Learn shows, and frames."""
    with httpx.Client(base_url=address, headers=HEADERS, timeout=60) as client:

        def do(**command: Any) -> dict[str, Any]:
            return dict(client.post("/api/learn", json=command).raise_for_status().json())

        def steps() -> int:
            return int(client.get("/api/learn").json()["frame"]["steps"])

        for name, distribution in LEARN.items():
            do(do="choose", distribution=distribution)
            do(do="speed", speed=0)
            do(do="play")
            frames(address, "learn", 0, 2)
            speeds: dict[int, list[float]] = {count: [] for count in viewers}
            seen: dict[int, list[float]] = {count: [] for count in viewers}
            for _ in range(ROUNDS):
                for count in viewers:
                    before, began = steps(), time.perf_counter()
                    seen[count] += frames(address, "learn", count, seconds / ROUNDS)
                    taken = steps() - before
                    speeds[count].append(taken / (time.perf_counter() - began))
            do(do="pause")
            alone = statistics.median(speeds[0])
            for count in viewers:
                speed = statistics.median(speeds[count])
                yield [
                    f"Learn, {name}",
                    f"{count}",
                    f"{speed:.0f} steps",
                    f"{1 - speed / alone:+.1%}",
                    *_rates(seen[count]),
                ]


def training(folder: Path, seconds: float, viewers: Sequence[int]) -> Iterator[list[str]]:
    """A row for each number of viewers of `equipoise train ring`; 0: no --watch."""
    speeds: dict[int, list[float]] = {count: [] for count in viewers}
    seen: dict[int, list[float]] = {count: [] for count in viewers}
    for turn in range(ROUNDS):
        for count in viewers:
            out = folder / f"ring-{count}-{turn}"
            command = [*EQUIPOISE, "train", "ring", "--minutes", f"{seconds / 60}"]
            command += ["--threads", "1", "--evaluate", "none", "--out", str(out)]
            run = subprocess.Popen(
                [*command, "--watch"] if count else command,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
            )
            assert run.stdout is not None
            for line in run.stdout:
                if count and (told := re.search(r"(http://\S+?)/#/run/", line)):
                    seen[count] += frames(told[1], f"run-{out.name}", count, seconds / 2)
            run.wait()
            last = json.loads((out / "log.jsonl").read_text().splitlines()[-1])
            speeds[count].append(last["samples_seen"] / last["seconds"])
    alone = statistics.median(speeds[0])
    for count in viewers:
        speed = statistics.median(speeds[count])
        lost = f"{1 - speed / alone:+.1%}"
        yield ["train ring", f"{count}", f"{speed:,.0f} samples", lost, *_rates(seen[count])]


def sampling(address: str, run: str, requests: int) -> list[str]:
    """The row of requests of samples."""

    async def ask(client: httpx.AsyncClient, places: asyncio.Semaphore, seed: int) -> float:
        async with places:
            began = time.perf_counter()
            answer = await client.get(f"/api/use/{run}/samples?n=1000&seed={seed}")
            answer.raise_for_status()
            return time.perf_counter() - began

    async def all_of_them() -> list[float]:
        places = asyncio.Semaphore(AT_ONCE)
        async with httpx.AsyncClient(base_url=address, timeout=120) as client:
            return await asyncio.gather(*(ask(client, places, seed) for seed in range(requests)))

    began = time.perf_counter()
    took = sorted(asyncio.run(all_of_them()))
    whole = time.perf_counter() - began
    at = [took[int(part * (len(took) - 1))] * 1000 for part in (0.5, 0.95, 1)]
    return [
        f"{requests:,}, {AT_ONCE} at once",
        f"{requests / whole:.0f}",
        *(f"{milliseconds:.0f} ms" for milliseconds in at),
    ]


def _rates(seen: list[float]) -> list[str]:
    return [f"{statistics.median(seen):.1f}", f"{min(seen):.1f}"] if seen else ["", ""]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--viewers", type=int, default=50)
    parser.add_argument("--requests", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=15.0, help="of each measurement")
    options = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    viewers = (0, 1, options.viewers)
    with tempfile.TemporaryDirectory() as there:
        folder = Path(there)
        rows = list(training(folder, options.seconds, viewers))
        with served(folder) as address:
            rows = [*learning(address, options.seconds, viewers), *rows]
            answers = sampling(address, "ring-0-0", options.requests)
    head = ["", "viewers", "a second", "lost", "frames a second, median", "least"]
    asked = ["requests of 1,000 samples", "a second", "median", "95% below", "longest"]
    words = ["python", "-m", "benchmarks.studio"]
    for name, default in (("viewers", 50), ("requests", 1000), ("seconds", 15.0)):
        if (given := getattr(options, name)) != default:
            words += [f"--{name}", f"{given:g}"]
    record(
        shlex.join(words),
        "One thread a training; server, viewers and training share the cores. "
        f"Medians of {ROUNDS} turns. Goals: at most {MOST_LOSS:.0%} lost, 10 frames a second.",
        [head, *rows],
        [asked, answers],
    )


if __name__ == "__main__":
    main()

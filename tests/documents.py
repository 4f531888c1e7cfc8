"""What the documents have in them: blocks of code and commands, and the files that they
assume."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tests.helpers import TINY_OPTIONS, npy, png, write_image, write_tar

ROOT = Path(__file__).parent.parent
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), ROOT / "benchmarks/README.md"])
BLOCK = re.compile(r"^(?:<!-- (.*?) -->\n)?```(\S*)\n(.*?)^```", re.M | re.S)
# Of commands: how long they train, and how many they draw, are for a reader's machine.
LENGTHS = ("--minutes", "--samples", "--trials", "--processes")
TINY_SWEEP = ["--trials", "2", "--trial-samples", "32", "--seeds", "2", "--workers", "1"]
DRAWN = 20


@dataclass(frozen=True)
class Block:
    """A fenced block, and the comment above it."""

    marker: str
    language: str
    text: str

    @property
    def is_run(self) -> bool:
        """Whether it is a program or commands, and nothing keeps it from running."""
        return self.language in ("", "python") and not self.marker

    def commands(self) -> Iterator[str]:
        """The lines of a block of commands, comments left out."""
        for line in self.text.replace("\\\n", " ").splitlines():
            if command := " ".join(shlex.split(line, comments=True, posix=False)):
                yield command


def blocks(document: Path) -> list[Block]:
    """The fenced blocks of a document."""
    found = BLOCK.findall(document.read_text())
    return [Block(marker, language, text) for marker, language, text in found]


def tiny(words: Sequence[str]) -> list[str]:
    """A command of `equipoise` that takes little time: the same options, but a training
    of two steps, and few samples."""
    command, rest = words[0], iter(words[1:])
    kept = [command]
    for word in rest:
        if word in LENGTHS:
            next(rest)
        elif word == "-n":
            kept += ["-n", str(min(int(next(rest)), DRAWN))]
        else:
            kept.append(word)
    if command == "train" and "--resume" not in kept:
        return [*kept, *TINY_OPTIONS]
    if command == "train" and "--samples" in words:
        return [*kept, "--samples", "64"]
    if command == "sweep":
        return [*kept, *TINY_SWEEP, "--batch-size", "16", "--width", "8"]
    return kept


def digits(split: str) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Noise in the form of MNIST, which takes no time to read and to learn."""
    rng, n = np.random.default_rng(len(split)), {"train": 400, "test": 200}[split]
    return rng.integers(0, 256, (n, 28, 28), np.uint8), np.arange(n, dtype=np.uint8) % 10


def write_files(folder: Path, text: str) -> None:
    """The files that a document speaks of, small: images large enough for what is
    cut out of them, and tars if there are any in its text."""
    rng = np.random.default_rng(0)
    ages, plans = rng.integers(18, 80, 60), np.array(["free", "pro"] * 30)
    table = pd.DataFrame({"age": ages, "income": rng.gamma(2.0, 900.0, 60).round(2), "plan": plans})
    for name in ("my-table", "more", "customers", "measurements"):
        table.to_csv(folder / f"{name}.csv", index=False)
    (folder / "sales").mkdir()
    for part in ("0", "1"):
        table.to_parquet(folder / "sales" / f"{part}.parquet")
    flowers = {"petal": rng.normal(size=60), "species": ["setosa", "virginica"] * 30}
    pd.DataFrame(flowers).to_csv(folder / "flowers.csv", index=False)
    days = pd.Series(pd.date_range("2026-01-01", periods=60))
    price, quantity = rng.integers(1, 50, 60), rng.integers(1, 9, 60)
    orders = {"ordered": days, "shipped": days + pd.Timedelta(days=2), "price": price}
    total = {"quantity": quantity, "total": price * quantity}
    pd.DataFrame(orders | total).to_csv(folder / "orders.csv", index=False)
    visits = {"patient": np.repeat(np.arange(30), 4), "day": [*range(4)] * 30}
    pd.DataFrame(visits | {"pulse": rng.normal(70, 9, 120)}).to_csv(
        folder / "visits.csv", index=False
    )
    (folder / "points.npy").write_bytes(npy(rng.normal(size=(60, 2))))
    (folder / "windows.npy").write_bytes(npy(rng.normal(size=(60, 24, 2)).cumsum(1)))
    side = 200 if "--crop" in text else 24
    for i in range(40):
        write_image(folder / "my-images" / f"{i}.png", "L", (side, side), seed=i)
    write_image(folder / "photo.png", "L", (28, 28))
    if "shards-" in text:
        _write_tars(folder, rng)
    (folder / "parts").mkdir()
    x, y = rng.normal(size=(60, 2)), [0, 1] * 30
    np.savez(folder / "parts/0.npz", x=x, y=np.array(y))


def _write_tars(folder: Path, rng: np.random.Generator) -> None:
    (folder / "shards").mkdir()
    for shard in range(10):
        files = {}
        for i in range(8):
            name = f"{shard * 8 + i:06d}"
            files[f"{name}.png"] = png(rng.integers(0, 256, (8, 8), np.uint8))
            files[f"{name}.cls"] = str(i % 2).encode()
        write_tar(folder / f"shards-{shard:03d}.tar", files)
        write_tar(folder / "shards" / f"{shard:03d}.tar", files)

"""The configuration of a run: validated when it is read, and as it was when written
again."""

from __future__ import annotations

import copy
import math
import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from equipoise import GAN
from equipoise.data.distributions import Ring
from equipoise.errors import RequestError
from equipoise.runs.config import RunConfig
from equipoise.runs.serialization import DamagedFileError, read_json, write_json

ODD: list[tuple[str, Any]] = [
    ("requested", 5),
    ("requested", []),
    ("requested", {"data": {}}),
    ("requested", {"recipe": 5}),
    ("requested", {"recipe": {"no_such": 1}}),
    ("requested", {"recipe": {"batch_size": "many"}}),
    ("requested", {"run": {"seed": [0]}}),
    ("requested", {"run": {"gamma": 1}}),
    ("init_from", "runs/x"),
    ("init_from", {}),
    ("init_from", {"run": 5, "generator": "0"}),
    ("init_from", {"run": None, "generator": None}),
    ("transform", 1),
    ("transform", [1]),
    ("notes", "text"),
    ("machine", {"device": "cpu"}),
    ("versions", []),
    ("versions", {"torch": 2}),
    ("command", 5),
    ("equipoise", None),
]


@pytest.mark.parametrize(("part", "value"), ODD)
def test_what_cannot_be_is_refused(part: str, value: Any, trained: Path, tmp_path: Path) -> None:
    file = tmp_path / "config.json"
    write_json(file, {**read_json(trained / "config.json"), part: value})
    with pytest.raises(DamagedFileError, match=r"config\.json is not what was written: "):
        RunConfig.read(file)


def test_a_config_that_lacks_a_part_is_refused(trained: Path, tmp_path: Path) -> None:
    file, whole = tmp_path / "config.json", read_json(trained / "config.json")
    for part in whole.keys() - {"format", "init_from", "held_out"}:
        write_json(file, {name: value for name, value in whole.items() if name != part})
        with pytest.raises(DamagedFileError, match="what was written") as refused:
            RunConfig.read(file)
        assert str(file) in str(refused.value)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The keys that lead to every value inside a JSON value."""
    parts = value.items() if isinstance(value, dict) else enumerate(value)
    for key, part in parts:
        yield (*path, key)
        if isinstance(part, dict | list):
            yield from places(part, (*path, key))


def test_a_random_value_anywhere_in_a_config_is_read_or_refused(trained_images: Path) -> None:
    whole = read_json(trained_images / "config.json")
    known, refused = list(places(whole)), 0
    odd = (None, -1, 10**400, math.nan, 1e308, True, "text", [], {}, [[1]], {"a": {}})
    rng = random.Random(0)
    for _ in range(150):
        *outer, last = rng.choice(known)
        stored = copy.deepcopy(whole)
        holder = stored
        for key in outer:
            holder = holder[key]
        holder[last] = rng.choice(odd)
        try:
            RunConfig.from_dict(stored)
        except RequestError:
            refused += 1
    assert refused > 75


def test_a_config_that_is_read_and_written_is_the_same_file(trained: Path, tmp_path: Path) -> None:
    RunConfig.read(trained / "config.json").write(tmp_path / "config.json")
    assert (tmp_path / "config.json").read_bytes() == (trained / "config.json").read_bytes()


def test_the_config_of_a_trainer_is_the_one_that_is_read_again(
    tiny: dict[str, Any], tmp_path: Path
) -> None:
    x, labels = np.random.default_rng(0).normal(size=(60, 2)), ["a", "b"] * 30
    frame = pd.DataFrame(x, columns=["u", "v"])
    for number, data in enumerate((x, frame, (x * 9).astype(np.int8), Ring(circle_modes=5))):
        out = tmp_path / str(number)
        labelled = None if isinstance(data, Ring) else labels
        trainer = GAN(**tiny).trainer(data, labelled, out=out)
        assert RunConfig.read(out / "config.json") == trainer.config


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The configurations that are read during a test."""
    found: list[Path] = []

    def counted(path: Path) -> dict[str, Any]:
        found.append(path)
        return read_json(path)

    monkeypatch.setattr("equipoise.runs.config.read_json", counted)
    return found


@pytest.mark.usefixtures("brief_reports", "no_pages")
@pytest.mark.parametrize(
    "words",
    [
        ("train", "--resume", "run"),
        ("train", "--resume", "run", "--samples", "64"),
        ("train", "gaussian", "--out", "run", "--resume", "--samples", "64"),
        ("train", "gaussian", "--init-from", "run", "--samples", "32", "--out", "second"),
        ("evaluate", "run"),
        ("sample", "run", "-n", "2"),
    ],
)
def test_a_command_reads_a_config_once(
    words: tuple[str, ...],
    trained: Path,
    tmp_path: Path,
    command: Callable[..., Any],
    reads: list[Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copytree(trained, "run")
    assert command(*words).status == 0
    assert reads == [Path("run") / "config.json"]

"""A killed training, resumed, ends with the very bits of one that was left alone."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from tests.helpers import npy, png, write_tar

from equipoise import GAN
from equipoise.cli.main import main
from equipoise.data import stream_loading, streams
from equipoise.data.distributions import Gaussian
from equipoise.data.images import cache
from equipoise.recipes import catalogue
from equipoise.runs.directory import RunDirectory
from equipoise.runs.serialization import unpack
from equipoise.training.events import Event, SaveDue

pytestmark = pytest.mark.usefixtures("brief_reports", "no_pages")
BATCH, STEPS = 16, 200
SETTINGS = [
    "--samples",
    str(BATCH * STEPS),
    "--batch-size",
    str(BATCH),
    "--threads",
    "1",
    "--seed",
    "5",
]


HELD = """
import json
import sys
from pathlib import Path
from equipoise import GAN
from equipoise.training.events import SaveDue
from equipoise.training.signals import InterruptedRunError

out, recipe, settings = Path(sys.argv[1]), sys.argv[2], json.loads(sys.argv[3])
held = []

def hold(event):
    if isinstance(event, SaveDue) and not held and list((out / "checkpoints").glob("000001600*")):
        held.append(event)
        print("half of it is saved", flush=True)
        sys.stdin.readline()

try:
    GAN(recipe, **settings).fit("gaussian", out=out, callbacks=[hold])
except InterruptedRunError as error:
    sys.exit(error.status)
"""


def kill_after_half(recipe: str, settings: dict[str, Any], out: Path, sign: int) -> int:
    """Train in another process, which waits when half of it is saved; send it `sign`
    there, let it go on if it still can, and return its exit status."""
    command = [sys.executable, "-c", HELD, str(out), recipe, json.dumps(settings)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "half of it is saved\n"
        process.send_signal(sign)
        process.communicate(None if sign == signal.SIGKILL else "\n")
    return process.returncode


def final_state(out: Path) -> tuple[dict[str, torch.Tensor], dict[str, object]]:
    newest = max((out / "checkpoints").iterdir())
    tensors, metadata = unpack(newest)
    return tensors, {name: value for name, value in metadata["state"].items() if name != "seconds"}


CHOICES: dict[str, Any] = {"samples": BATCH * STEPS, "batch_size": BATCH, "threads": 1, "seed": 5}
CLASSIC = {"dropout": 0.2, "ema_half_life": 1000}


@pytest.fixture(scope="module")
def straight(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, dict[str, Any]], Path]:
    """A function that gives the run directory of a training that nothing disturbs."""
    runs: dict[str, Path] = {}

    def trained(recipe: str, settings: dict[str, Any]) -> Path:
        if recipe not in runs:
            runs[recipe] = tmp_path_factory.mktemp("runs") / "straight"
            GAN(recipe, **settings).fit("gaussian", out=runs[recipe])
        return runs[recipe]

    return trained


@pytest.mark.parametrize(
    ("recipe", "sign"),
    [
        ("balanced", signal.SIGKILL),
        pytest.param("balanced", signal.SIGTERM, marks=pytest.mark.slow),
        pytest.param("balanced", signal.SIGINT, marks=pytest.mark.slow),
        pytest.param("classic", signal.SIGKILL, marks=pytest.mark.slow),
    ],
)
def test_killed_and_resumed_equals_undisturbed_to_the_bit(
    recipe: str, sign: int, straight: Callable[[str, dict[str, Any]], Path], tmp_path: Path
) -> None:
    settings, broken = CHOICES | (CLASSIC if recipe == "classic" else {}), tmp_path / "broken"
    whole = straight(recipe, settings)
    status = kill_after_half(recipe, settings, broken, sign)
    assert (
        status
        == {signal.SIGKILL: -signal.SIGKILL, signal.SIGTERM: 143, signal.SIGINT: 130}[
            signal.Signals(sign)
        ]
    )
    assert final_state(broken)[1]["samples_seen"] < BATCH * STEPS
    GAN().fit("gaussian", out=broken, resume=True)
    (left, left_scalars), (right, right_scalars) = final_state(whole), final_state(broken)
    assert left.keys() == right.keys()
    assert [name for name in left if not torch.equal(left[name], right[name])] == []
    assert left_scalars == right_scalars
    assert (whole / "generator.safetensors").read_bytes() == (
        broken / "generator.safetensors"
    ).read_bytes()


@pytest.mark.parametrize(
    "recipe", sorted(name for name, recipe in catalogue().items() if not recipe.tables_only)
)
def test_every_recipe_stopped_and_resumed_equals_undisturbed_and_survives_saving(
    recipe: str, tmp_path: Path
) -> None:
    """On labelled images, which every recipe but those of tables takes, seen through
    adapted augmentation; the average has statistics of its own."""
    data = tmp_path / "squares.npz"
    np.savez(
        data,
        x=np.random.default_rng(0).integers(0, 256, (60, 8, 8), np.uint8),
        y=["dark", "light"] * 30,
    )
    settings: dict[str, Any] = {
        "samples": 8 * 12,
        "batch_size": 8,
        "width": 8,
        "threads": 1,
        "ema_half_life": 100,
    }
    settings |= {"augment": "color,cutout", "augment_target": 0.6}
    stopped_and_straight_are_equal(recipe, settings, data, tmp_path)


@pytest.mark.parametrize(
    "kind",
    [
        "points",
        "points in packs",
        "labelled points",
        "images",
        "colour images",
        "table",
        "table over the memory budget",
        "table by category",
        "series",
        "series table",
        "images in tars",
        "images in tars, not cached",
        "arrays in tars",
        "array over the memory budget",
        "labelled stream",
    ],
)
def test_a_training_on_modes_stopped_and_resumed_equals_undisturbed(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EQUIPOISE_DATA", str(tmp_path))  # rows over the budget are there
    data, rng = tmp_path / "data.npz", np.random.default_rng(0)
    x = rng.standard_normal((60, 2)) + rng.integers(0, 3, (60, 1)) * 9
    shapes = {"images": (60, 8, 8), "colour images": (60, 3, 16, 16)}
    if kind in shapes:
        x = rng.integers(0, 256, shapes[kind], np.uint8)
    np.savez(data, x=x, **({"y": ["a", "b"] * 30} if kind == "labelled points" else {}))
    if kind.startswith("table"):
        data = tmp_path / "data.csv"
        columns = {"x": x[:, 0], "plan": ["a", "b"] * 30, "paid": [0, *range(3), 0, 0] * 10}
        pd.DataFrame(columns).to_csv(data, index=False)
    settings = {"samples": 8 * 12, "batch_size": 8, "width": 8, "threads": 1, "clusters": 3}
    if kind == "table over the memory budget":
        data = tmp_path / "data.parquet"
        pd.DataFrame({"x": x[:, 0], "plan": ["a", "b"] * 30}).to_parquet(data)
        settings["memory_budget"] = 1e-6
    if kind == "series table":  # windows of one to three steps
        data = tmp_path / "data.csv"
        who = np.repeat(np.arange(30), 1 + np.arange(30) % 3)
        pd.DataFrame({"who": who, "x": x[: len(who), 0], "n": who % 7}).to_csv(data, index=False)
        settings |= {"series": "who"}
    settings |= {"packing": 4} if kind == "points in packs" else {}
    recipe = "balanced"
    if kind == "table by category":
        recipe = "ctgan"
        settings |= {"clusters": 0, "packing": 2}
    if kind.endswith("in tars") or kind.endswith("not cached"):
        data = tmp_path / "shards"
        write_shards(data, x if kind.startswith("arrays") else None)
        settings |= {"memory_budget": 1e-6, "conditional": True}
        monkeypatch.setattr(cache, "data_home", lambda: tmp_path)
        monkeypatch.setattr(cache, "SPARE_BYTES", 2**80 if kind.endswith("not cached") else 0)
    if kind == "array over the memory budget":
        data = tmp_path / "data.npy"
        np.save(data, x)
        settings |= {"memory_budget": 1e-9}
    if kind == "labelled stream":
        monkeypatch.setattr(streams, "FIRST_ROWS", 20)
        monkeypatch.setattr(stream_loading, "BLOCK_ROWS", 25)
        pairs = [(x[i : i + 10], [*"ab"] * 5) for i in range(0, 60, 10)]
        settings |= {"conditional": True}
        stopped_and_straight_are_equal(recipe, settings, Again(pairs), tmp_path)
        return
    stopped_and_straight_are_equal(recipe, settings, data, tmp_path)


def test_sgd_and_the_published_maxout_networks_stopped_and_resumed_equal_undisturbed(
    tmp_path: Path,
) -> None:
    data = np.random.default_rng(0).integers(0, 256, (60, 8, 8), np.uint8)
    settings: dict[str, Any] = {"preset": "paper", "samples": 8 * 12, "batch_size": 8}
    settings |= {"width": 40, "threads": 1}
    stopped_and_straight_are_equal("classic", settings, data, tmp_path)
    kept = json.loads((tmp_path / "stopped" / "config.json").read_text())["recipe"]
    assert (kept["preset"], kept["optimizer"], kept["learning_rate"]) == ("paper", "sgd", 0.1)


class Again:
    """A stream of batches that is no list."""

    def __init__(self, batches: list[Any]) -> None:
        self.batches = batches

    def __iter__(self) -> Iterator[Any]:
        return iter(self.batches)


def write_shards(folder: Path, rows: np.ndarray[Any, Any] | None) -> None:
    """Three tars of labelled images, or of these arrays."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    for shard in range(3):
        files = {}
        for i in range(shard * 20, shard * 20 + 20):
            files[f"{i:03}.cls"] = str(i % 3).encode()
            if rows is None:
                files[f"{i:03}.png"] = png(rng.integers(0, 256, (8, 8), np.uint8))
            else:
                files[f"{i:03}.npy"] = npy(rows[i])
        write_tar(folder / f"{shard}.tar", files)


class KilledError(BaseException):
    """Ends a training at once, as the end of its process does."""


def stopped_and_straight_are_equal(
    recipe: str, settings: dict[str, Any], data: Any, tmp_path: Path
) -> None:
    GAN(recipe, **settings).fit(data, out=tmp_path / "straight")
    stopped = GAN(recipe, **settings).trainer(data, out=tmp_path / "stopped")

    def kill(event: Event) -> None:
        if isinstance(event, SaveDue) and stopped.state.samples_seen >= 8 * 6:
            raise KilledError

    with pytest.raises(KilledError):
        stopped.run([kill])
    assert stopped.state.samples_seen < 8 * 12
    resumed = GAN(recipe).fit(data, out=tmp_path / "stopped", resume=True)
    (left, left_scalars), (right, right_scalars) = (
        final_state(tmp_path / "straight"),
        final_state(tmp_path / "stopped"),
    )
    assert left.keys() == right.keys()
    assert [name for name in left if not torch.equal(left[name], right[name])] == []
    assert left_scalars == right_scalars
    straight, again = (
        tmp_path / name / "generator.safetensors" for name in ("straight", "stopped")
    )
    assert straight.read_bytes() == again.read_bytes()
    assert np.array_equal(
        GAN.load(tmp_path / "straight").sample(9, seed=1), resumed.sample(9, seed=1)
    )


def test_the_log_of_a_resumed_run_has_every_moment_once_and_in_order(tmp_path: Path) -> None:
    kill_after_half("balanced", CHOICES, tmp_path / "broken", signal.SIGKILL)
    with (tmp_path / "broken" / "log.jsonl").open("a") as log:
        log.write('{"samples_seen": 99999999, "torn')
    GAN().fit("gaussian", out=tmp_path / "broken", resume=True)
    seen = [
        line["samples_seen"]
        for line in RunDirectory(tmp_path / "broken").read_log()
        if "balance" in line
    ]
    assert seen == sorted(set(seen))
    assert seen[-1] == BATCH * STEPS


def test_a_config_that_does_not_match_is_refused_with_the_differing_fields(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["train", "gaussian", *SETTINGS, "--samples", "320", "--out", "run"]) == 0
    before = {path: path.read_bytes() for path in (tmp_path / "run").rglob("*") if path.is_file()}
    capsys.readouterr()
    changed = ["--seed", "6", "--gamma", "0.5", "--mean", "1"]
    assert main(["train", "gaussian", "--out", "run", "--resume", *changed]) == 2
    output = capsys.readouterr().err
    assert output.count("\n") == 1
    for part in ("seed: 5 -> 6", "gamma: 0.1 -> 0.5", "mean: 4.0 -> 1.0"):
        assert part in output
    assert main(["train", "gaussian", "--out", "run", "--resume", "--recipe", "classic"]) == 2
    assert "recipe: 'balanced' -> 'classic'" in capsys.readouterr().err
    assert {
        path: path.read_bytes() for path in (tmp_path / "run").rglob("*") if path.is_file()
    } == before


def test_a_resumed_run_needs_no_setting_again_and_goes_on_to_more_samples(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    settings = [
        "--mean",
        "-2",
        "--std",
        "3",
        "--recipe",
        "classic",
        "--dropout",
        "0.1",
        "--memory-budget",
        "2",
    ]
    assert (
        main(["train", "gaussian", *SETTINGS, *settings, "--samples", "1600", "--out", "run"]) == 0
    )
    assert main(["train", "gaussian", "--out", "run", "--resume", "--samples", "3200"]) == 0
    config = RunDirectory(tmp_path / "run").read_config()
    assert config.data.distribution == Gaussian(mean=-2.0, std=3.0)
    assert final_state(tmp_path / "run")[1]["samples_seen"] == 3200


def test_a_damaged_checkpoint_falls_back_to_the_one_before_with_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["train", "gaussian", *SETTINGS, "--samples", "1600", "--out", "run"]) == 0
    whole = final_state(tmp_path / "run")[0]
    newest = max((tmp_path / "run" / "checkpoints").iterdir())
    newest.write_bytes(newest.read_bytes()[:-100])
    capsys.readouterr()
    assert main(["train", "gaussian", "--out", "run", "--resume"]) == 0
    output = capsys.readouterr().err
    assert f"{newest.name} is damaged" in output
    assert "using the checkpoint before it" in output
    again = final_state(tmp_path / "run")[0]
    assert [name for name in whole if not torch.equal(whole[name], again[name])] == []


def test_equal_seeds_give_equal_generators_and_other_seeds_other_ones(tmp_path: Path) -> None:
    for out, seed in (("a", 1), ("b", 1), ("c", 2)):
        GAN(samples=320, batch_size=16, threads=1, seed=seed).fit("gaussian", out=tmp_path / out)
    a, b, c = ((tmp_path / out / "generator.safetensors").read_bytes() for out in "abc")
    assert a == b
    assert a != c


def test_no_leftover_of_writing_stays_in_a_run_directory(tmp_path: Path) -> None:
    GAN(samples=320, batch_size=16).fit("gaussian", out=tmp_path / "run").evaluate()
    hidden = [name for _, _, names in os.walk(tmp_path) for name in names if name.startswith(".")]
    assert hidden == [".lock"]

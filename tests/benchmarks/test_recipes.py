"""The runs and the table of the recipes' benchmark."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from benchmarks.gates import GATES
from benchmarks.recipe_runs import Run, measure, runs
from benchmarks.recipes import tables


def test_each_table_has_its_recipes_data_and_seeds() -> None:
    points = list(runs("points"))
    assert {run.data for run in points} == {"gaussian", "ring", "grid"}
    assert {run.seed for run in points if run.recipe == "wgan"} == {0, 1, 2}
    ten = list(runs("ten-minutes"))
    assert {run.minutes for run in ten} == {10}
    assert {run.seed for run in ten} == {0}
    assert [run.label for run in ten if run.recipe in ("cgan", "balanced")] == [
        "balanced, seed 0",
        "cgan, seed 0",
        "balanced with labels, seed 0",
    ]
    assert len({run.name for run in ten}) == len(ten)


def test_recipes_and_seeds_can_be_chosen() -> None:
    found = [run.name for run in runs("ten-minutes", ["cgan", "wgan"], [4, 5])]
    assert found == [
        "mnist-wgan-4-10min",
        "mnist-wgan-5-10min",
        "mnist-cgan-4-10min-labels",
        "mnist-cgan-5-10min-labels",
    ]
    assert {run.data for run in runs("points", ["cgan", "dcgan"])} == {"ring", "grid"}


def test_a_recipe_without_a_gate_is_measured_when_it_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delitem(GATES["mnist"], "began")
    (run,) = runs("digits", ["began"])
    assert run.gate == {}


def kept(run: Run, folder: Path, **result: object) -> None:
    origin = {"commit": "1a", "machine": "m"}
    (folder / f"{run.name}.json").write_text(json.dumps({**result, **origin}))


def test_the_table_says_what_fails_and_a_training_that_failed_is_a_row(tmp_path: Path) -> None:
    chosen = [*runs("ten-minutes", ["dcgan", "wgan"])]
    metrics = {"recognised_fraction": 0.7, "smallest_class_frequency": 0.06}
    times = {"seen": 1000, "loop": 600.0, "whole": 630.0}
    kept(chosen[0], tmp_path, metrics=metrics, baselines=metrics, **times)
    kept(chosen[1], tmp_path, failed="the training diverged")
    found = [(run, measure(run, tmp_path, [])) for run in chosen]
    (table,) = tables(found)
    assert {len(row) for row in table} == {7}
    assert "recognised_fraction 0.7" in table[1][-1]
    assert "off by 0.1" in table[1][-1]
    assert table[2][-1] == "**failed**: the training diverged"

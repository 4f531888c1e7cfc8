"""The rows of the quality benchmark: exact distributions, settings within their ranges,
figures that tell good samples from bad, and lanes."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from benchmarks.distributions import DISTRIBUTIONS, DRAWS
from benchmarks.lanes import in_lanes
from benchmarks.quality import measure, parsed, table
from benchmarks.rows import ROWS
from scipy import stats

from benchmarks import rows


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_draws_are_of_the_distribution_by_its_distribution_function(name: str) -> None:
    distribution = DISTRIBUTIONS[name]
    x = distribution.draw(5000, 0)
    if name == "Poisson(3)":
        assert (
            np.abs(
                np.array([(x <= k).mean() - distribution.cdf(np.array([k]))[0] for k in range(10)])
            ).max()
            < 0.03
        )
    else:
        assert stats.kstest(x, distribution.cdf).pvalue > 1e-6


def test_there_are_twelve_distributions_and_a_run_for_each_of_a_seed(tmp_path: Path) -> None:
    runs = list(ROWS["distributions"].runs(3))
    assert len(DISTRIBUTIONS) == len(runs) == len({run.name for run in runs}) == 12
    data = np.load(runs[5].arguments(tmp_path)[0])
    assert np.array_equal(data, DISTRIBUTIONS[runs[5].data].draw(DRAWS, 3005))


@pytest.mark.parametrize("name", ["uniform", "Laplace"])
def test_real_draws_are_at_the_baseline_and_wrong_ones_are_not(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = next(run for run in ROWS["distributions"].runs(0) if run.data == name)
    monkeypatch.setattr(rows, "drawn", lambda _, n: DISTRIBUTIONS[name].draw(n, 12345))
    assert ROWS["distributions"].metrics(run, Path())["above it"] < 0.005
    monkeypatch.setattr(rows, "drawn", lambda _, n: 0.8 * DISTRIBUTIONS[name].draw(n, 12345))
    assert ROWS["distributions"].metrics(run, Path())["above it"] > 0.03


def test_random_settings_lie_in_their_ranges() -> None:
    settings = [
        dict(zip(options[4::2], map(float, options[5::2]), strict=True))
        for seed in range(40)
        for options in [run_options(seed)]
    ]
    assert len({str(one) for one in settings}) == 40
    for one in settings:
        assert 1e-4 <= one["--learning-rate"] <= 1e-2
        assert 32 <= one["--batch-size"] <= 512
        assert 64 <= one["--width"] <= 256
        assert 0 <= one["--beta1"] <= 0.9
        assert 0.01 <= one["--gamma"] <= 1
        assert one["--discriminator-steps"] in (1, 2, 3)


def run_options(seed: int) -> tuple[str, ...]:
    (run,) = ROWS["immunity"].runs(seed)
    assert run.options[:4] == ("--seed", str(seed), "--minutes", "1")
    return run.options


def results(**metrics: list[float]) -> list[dict[str, Any]]:
    named = [
        dict(zip(metrics, values, strict=True)) for values in zip(*metrics.values(), strict=True)
    ]
    return [
        {
            "metrics": {name.replace("_", " "): value for name, value in one.items()},
            "loop": 3.0,
            "whole": 9.0,
        }
        for one in named
    ]


def test_goals_are_met_and_missed_as_they_should() -> None:
    good = results(
        modes_covered=[8, 8],
        within_3_sigma=[0.98, 0.99],
        reverse_KL=[0.001, 0.004],
        spread_inside_modes=[0.9, 1.1],
    )
    assert "missed" not in ROWS["ring"].verdict(good)
    bad = results(
        modes_covered=[8, 7],
        within_3_sigma=[0.9, 0.99],
        reverse_KL=[0.001, 0.2],
        spread_inside_modes=[0.5, 1.1],
    )
    assert ROWS["ring"].verdict(bad).count("missed") == 4


def test_a_failed_training_is_a_row_of_the_table_and_no_metric() -> None:
    runs = [run for seed in (0, 1) for run in ROWS["immunity"].runs(seed)]
    good = results(
        modes_covered=[25], within_3_sigma=[0.9], reverse_KL=[0.01], spread_inside_modes=[1.0]
    )
    found = [*good, {"failed": "it ran away"}]
    assert [row[1] for row in table(ROWS["immunity"], runs, found)][2] == "failed: it ran away"
    assert "runs that ended well: 1, goal 2: **missed**" in ROWS["immunity"].verdict(found)


def test_a_run_that_is_kept_is_not_made_again(tmp_path: Path) -> None:
    (run,) = ROWS["gaussian"].runs(4)
    kept = {
        "metrics": {"Wasserstein-1": 0.5},
        "loop": 1.0,
        "whole": 2.0,
        "commit": "1a",
        "machine": "",
    }
    (tmp_path / "gaussian-4.json").write_text(json.dumps(kept))
    assert measure(ROWS["gaussian"], run, tmp_path, []) == kept


def test_seeds_are_read_with_both_ends() -> None:
    assert list(parsed("100-102")) == [100, 101, 102]
    assert list(parsed("7")) == [7]


def test_lanes_keep_the_order_and_never_share_a_core() -> None:
    busy: list[str] = []

    def work(job: int, pinned: list[str]) -> tuple[int, str]:
        assert pinned[-1] not in busy
        busy.append(pinned[-1])
        time.sleep(0.01 * (3 - job % 3))
        busy.remove(pinned[-1])
        return job, pinned[-1]

    found = in_lanes(range(8), work, 2)
    assert [job for job, _ in found] == list(range(8))
    assert {core for _, core in found} == {"0", "1"}
    assert in_lanes([1], lambda _, pinned: pinned, 1) == [[]]

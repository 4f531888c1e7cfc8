"""What is measured of papers' promises: correlations, assignments and tables."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from benchmarks.codes import Meaning, best_assignment, rank_correlation
from benchmarks.critic import FILTER, Followed, median_filter
from benchmarks.promises import critic_table, infogan_table

from benchmarks import critic, promises
from equipoise.data import mnist


def followed(distances: list[float]) -> Followed:
    """A training of as many moments, whose estimate falls with one outlier."""
    log = [(100 * i, 5.0 - i) for i in range(len(distances))]
    log[4] = (400, 1e6)
    return Followed(log, list(range(len(log))), distances, distances[::-1])


def test_the_median_filter_removes_an_outlier_and_keeps_the_ends() -> None:
    values = [0.0, 1, 2, 99, 4, 5, 6]
    assert median_filter(values, 3).tolist() == [0, 1, 2, 4, 5, 5, 6]
    assert median_filter([1.0, 5], FILTER).tolist() == [1, 5]


def test_an_estimate_that_falls_with_the_distance_has_correlation_1() -> None:
    one = followed([20.0 - i for i in range(20)])
    assert one.correlation(one.trained) == pytest.approx(1, abs=0.02)
    assert one.correlation(one.ema) == pytest.approx(-1, abs=0.02)
    row = critic_table({"wgan": one})[1]
    assert row[:2] == ["wgan", "20"]
    assert "met" in row[3]


def test_a_critic_is_followed_through_a_training(
    tiny: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    images, digits = mnist.load("test")
    monkeypatch.setattr(critic, "mnist", SimpleNamespace(load=lambda _: (images[:200], digits)))
    monkeypatch.setattr(critic, "SAMPLES", 200)
    settings = {**tiny, "samples": 320, "batch_size": 32, "width": 2, "dense_units": 0}
    found = critic.follow("wgan", settings, moments=2)
    assert len(found.moments) == len(found.trained) == len(found.ema) == 2
    assert found.samples_seen == sorted(found.samples_seen)
    assert np.isfinite([*found.trained, *found.ema, *found.estimates]).all()
    assert found.trained != found.ema


def test_a_run_that_is_kept_is_not_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = asdict(followed([20.0 - i for i in range(20)]))
    (tmp_path / "wgan-5min-0.json").write_text(
        json.dumps(kept | {"origin": {"commit": "abc", "machine": "m"}})
    )
    recorded: list[Any] = []
    monkeypatch.setattr(promises, "IMAGES", tmp_path / "images")
    monkeypatch.setattr(promises, "record", lambda *args, **named: recorded.append((args, named)))
    command = ["promises", "critic", "--recipe", "wgan", "--keep", str(tmp_path), "--lanes", "2"]
    monkeypatch.setattr(sys, "argv", command)
    promises.main()
    ((given, named),) = recorded
    assert given[0] == "python -m benchmarks.promises critic --recipe wgan --lanes 2"
    assert given[2][1][0] == "wgan"
    assert named["measured"].commit == "abc"
    assert (tmp_path / "images/critic-wgan.png").is_file()


def test_each_shape_gets_a_code_of_its_own() -> None:
    assert best_assignment([[0.9, 0.8], [0.7, 0.1]]) == {"slant": ("u1", 0.7), "width": ("u0", 0.8)}
    assert best_assignment([[0.9, 0.2], [0.3, 0.6]]) == {"slant": ("u0", 0.9), "width": ("u1", 0.6)}


def test_a_shape_that_does_not_vary_has_correlation_0() -> None:
    x = np.arange(5.0)
    assert rank_correlation(x, np.ones(5)) == 0
    assert rank_correlation(x, -x) == pytest.approx(-1)


def test_infogans_table_has_every_seed_the_median_and_the_worst() -> None:
    table = [[0.5, 0.1], [0.2, 0.6]]
    found = {
        seed: Meaning(accuracy, table, table) for seed, accuracy in enumerate((0.9, 0.95, 0.6))
    }
    rows = infogan_table(found)
    assert [row[0] for row in rows[1:]] == [
        *(f"infogan, seed {i}" for i in range(3)),
        "median",
        "worst",
    ]
    assert rows[1][3] == "0.500 (u0)"
    assert rows[-2][1:3] == ["0.900", "≥ 0.9: met"]
    assert rows[-1][1] == "0.600"

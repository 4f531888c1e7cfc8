"""Advice: how severe a verdict is, and how long what it advises takes."""

from __future__ import annotations

from typing import Any, get_args

import pytest

from equipoise.diagnosis import Evidence, Name, Verdict, severity
from equipoise.diagnosis.advice import FAULTS, train_longer
from equipoise.metrics.result import MetricResult


def verdict(name: Any, sure: Any = "sure") -> Verdict:
    return Verdict(name, "", sure, "")


def test_only_what_is_surely_as_good_as_can_be_is_good() -> None:
    assert severity(verdict("converged")) == "good"
    assert severity(verdict("converged", "likely")) == "fair"
    names = {name for name in get_args(Name) if severity(verdict(name)) == "good"}
    assert names == {"converged"}


@pytest.mark.parametrize("name", ["close", "still improving", "undecided", "of another version"])
def test_what_is_not_certain_or_not_known_is_between(name: str) -> None:
    assert severity(verdict(name)) == "fair"


@pytest.mark.parametrize("sure", ["sure", "likely"])
@pytest.mark.parametrize("name", sorted(FAULTS))
def test_what_went_wrong_is_bad_however_sure(name: str, sure: str) -> None:
    assert name in get_args(Name)
    assert severity(verdict(name, sure)) == "bad"


def evidence(log: Any, run: str | None = "runs/x") -> Evidence:
    metrics = [MetricResult("sliced_wasserstein", 1.0, 0.1, "lower", "n samples")]
    return Evidence(metrics, log, 1000, 1000, 7000, "balanced", 2, (), "ring", run)


def test_to_train_longer_says_how_long_that_takes_at_the_last_rate() -> None:
    slow_start = [{"samples_seen": 0, "seconds": 0.0}, {"samples_seen": 10, "seconds": 50.0}]
    log = slow_start + [{"samples_seen": 100 + 10 * i, "seconds": 50.0 + i} for i in range(91)]
    assert train_longer(evidence(log)) == (
        "Next: train longer, about 10 minutes at the speed so far.",
        "equipoise train --resume runs/x --samples 7000",
    )
    anew = train_longer(evidence(log, run=None))[0]
    assert anew == "Next: train longer, with samples=7,000, about 12 minutes at the speed so far."


def test_a_log_without_a_rate_gives_no_time() -> None:
    assert train_longer(evidence([]))[0] == "Next: train longer."


def test_a_training_that_stopped_early_goes_on_from_its_end_not_from_its_best() -> None:
    log = [{"samples_seen": 0, "seconds": 0.0}, {"samples_seen": 5000, "seconds": 50.0}]
    assert train_longer(evidence(log))[1] == "equipoise train --resume runs/x --samples 10000"

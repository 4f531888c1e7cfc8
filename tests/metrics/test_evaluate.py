"""The evaluation: every metric for the data, with right baselines and intervals."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from equipoise.data.distributions import Gaussian, Ring
from equipoise.data.factory import open_source
from equipoise.data.sources import DistributionSource
from equipoise.metrics import classifier, conditional
from equipoise.metrics.budget import FULL, QUICK
from equipoise.metrics.evaluate import (
    Sampling,
    baseline_draws,
    baselines,
    evaluate_samples,
    suite_for,
    takes_all,
)
from equipoise.metrics.result import MetricResult

RNG = np.random.default_rng(0)


def by_key(metrics: list[MetricResult]) -> dict[str, MetricResult]:
    return {metric.key: metric for metric in metrics}


def from_distribution(distribution: Gaussian) -> Sampling:
    return lambda n: (distribution.sample(n, torch.Generator().manual_seed(9)).numpy(), None)


def test_a_perfect_sampler_is_at_its_baseline_and_the_c2st_finds_no_difference() -> None:
    found = by_key(
        evaluate_samples(
            DistributionSource(Gaussian()), from_distribution(Gaussian()), seed=0, classes=None
        )
    )
    assert found["wasserstein_1"].value < 3 * found["wasserstein_1"].baseline
    c2st = found["c2st_accuracy"]
    assert c2st.low is not None
    assert c2st.value - 0.5 < 2 * (c2st.value - c2st.low)  # four standard errors
    assert "copied_fraction" not in found  # the distribution never repeats


def test_a_planted_difference_is_outside_the_interval_and_found() -> None:
    found = by_key(
        evaluate_samples(
            DistributionSource(Gaussian()),
            from_distribution(Gaussian(std=1.6)),
            seed=0,
            classes=None,
        )
    )
    std = found["standard_deviation"]
    assert std.low is not None
    assert std.high is not None
    assert std.low < 1.6 < std.high
    assert std.low > 1.25
    assert found["c2st_accuracy"].low is not None
    assert found["c2st_accuracy"].low > 0.5


def test_copies_of_the_training_data_are_found_and_fresh_samples_are_not() -> None:
    x = RNG.normal(size=(3000, 3))
    source = open_source(x)

    def copying(n: int) -> tuple[NDArray[np.float64], None]:
        return source.seen(n, 4).double().numpy(), None

    copied = by_key(evaluate_samples(source, copying, seed=0, classes=None))["copied_fraction"]
    assert copied.value > 0.95
    fresh = by_key(
        evaluate_samples(source, lambda n: (RNG.normal(size=(n, 3)), None), seed=0, classes=None)
    )["copied_fraction"]
    assert fresh.low is not None
    assert abs(fresh.value) < 2 * (fresh.value - fresh.low)  # four standard errors


def test_a_column_that_never_varies_hides_no_copies() -> None:
    x = RNG.normal(size=(2000, 40))
    x[:, 0] = 0.1
    source = open_source(x)
    copies = by_key(
        evaluate_samples(
            source, lambda n: (source.seen(n, 4).double().numpy(), None), seed=0, classes=None
        )
    )["copied_fraction"]
    fresh = np.column_stack([np.full(2000, 0.1), RNG.normal(size=(2000, 39))])
    honest = by_key(evaluate_samples(source, lambda n: (fresh[:n], None), seed=0, classes=None))[
        "copied_fraction"
    ]
    assert copies.value > 0.99
    assert abs(honest.value) < 0.5


@pytest.mark.parametrize("shuffled", [False, True])
def test_right_labels_are_accurate_and_shuffled_ones_at_chance(shuffled: bool) -> None:
    def sampling(n: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        x, y = Ring().labelled(n, torch.Generator().manual_seed(9))
        return x.numpy(), RNG.permutation(y.numpy()) if shuffled else y.numpy()

    found = by_key(
        evaluate_samples(DistributionSource(Ring()), sampling, seed=0, classes=tuple(range(8)))
    )
    expected = 1 / 8 if shuffled else 1.0
    assert found["label_accuracy"].baseline > 0.99
    assert found["label_accuracy"].value == pytest.approx(expected, abs=0.04)
    assert found["tstr_accuracy"].value <= 0.4 if shuffled else found["tstr_accuracy"].value > 0.98
    assert found["label_kl"].value < 0.01


@pytest.mark.parametrize("informative", [True, False])
def test_balanced_accuracy_is_above_chance_for_a_rare_class_only_where_its_label_is_informative(
    informative: bool,
) -> None:
    rng = np.random.default_rng(0)
    y = (rng.random(1500) < 0.05).astype(np.int64)
    x = rng.normal(size=1500) + y * informative
    source = open_source(x, y)
    found = by_key(
        evaluate_samples(
            source, lambda n: (x[:n, None], y[:n]), seed=0, classes=source.schema.classes
        )
    )
    assert found["label_accuracy"].baseline < 0.97
    balanced = found["real_balanced_accuracy"]
    assert balanced.baseline == 0.5
    assert balanced.low is not None
    off = balanced.value - balanced.low  # two standard errors
    assert balanced.low > 0.5 if informative else abs(balanced.value - 0.5) < 2 * off


def test_few_held_out_samples_have_no_c2st_and_no_copied_fraction() -> None:
    source = open_source(RNG.normal(size=(60, 2)))
    found = by_key(
        evaluate_samples(source, lambda n: (RNG.normal(size=(n, 2)), None), seed=0, classes=None)
    )
    assert "c2st_accuracy" not in found
    assert "copied_fraction" not in found
    assert all(metric.low is None for metric in found.values())


def test_baselines_are_draws_that_share_no_sample_and_as_many_as_there_are_samples_for() -> None:
    x = np.arange(2000.0)
    draws = baseline_draws(open_source(x), 500, 0)
    assert [len(draw) for draw in draws] == [500, 500, 500]
    assert len(np.unique(draws)) == 1500
    assert [len(draw) for draw in baseline_draws(open_source(x), 1000, 0)] == [1000]
    assert [len(draw) for draw in baseline_draws(open_source(x), 5000, 0)] == [1800]


def test_the_baseline_of_halved_data_in_memory_is_of_one_draw_with_a_note() -> None:
    source = open_source(RNG.normal(size=400)).as_test()
    found = evaluate_samples(
        source, lambda n: (RNG.normal(size=(n, 1)), None), seed=0, classes=None
    )
    assert "200 real samples" in found[0].protocol
    assert "draws" not in found[0].protocol


def test_the_baseline_while_training_is_that_of_the_report_where_both_have_the_same_samples() -> (
    None
):
    source = open_source(RNG.lognormal(size=(3000, 2)))
    found = by_key(
        evaluate_samples(source, lambda n: (RNG.normal(size=(n, 2)), None), seed=0, classes=None)
    )
    quick = baselines(suite_for(source, seed=0, quick=True), source, 0)
    assert quick["sliced_wasserstein"] == pytest.approx(found["sliced_wasserstein"].baseline)


def test_every_classifier_of_images_trains_for_the_budgets_number_of_steps(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    steps: list[int] = []
    monkeypatch.setattr(classifier, "_train", lambda *given: steps.append(given[-1]))
    monkeypatch.setattr(conditional, "above_chance", lambda *_: False)
    x, y = RNG.integers(0, 256, (800, 8, 8), np.uint8), RNG.integers(0, 2, 800)
    source = open_source(x, y)

    def sampling(n: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        return RNG.integers(0, 256, (n, 1, 8, 8)).astype(np.float64), RNG.integers(0, 2, n)

    found = by_key(evaluate_samples(source, sampling, 0, source.schema.classes, QUICK))
    assert "real_balanced_accuracy" in found
    assert set(steps) == {QUICK.image_steps}


def test_labels_that_a_file_has_as_text_match_the_same_labels_in_memory() -> None:
    x, y = RNG.normal(size=(800, 2)), [Decimal(i % 2) for i in range(800)]
    source = open_source(x, y)
    asked = RNG.integers(0, 2, 5000)
    found = by_key(
        evaluate_samples(
            source, lambda n: (RNG.normal(size=(n, 2)), asked[:n]), 0, ("0", "1"), QUICK
        )
    )
    assert "label_accuracy" in found


@pytest.mark.parametrize(
    ("rows", "shape", "labels", "all_of_them"),
    [
        (2_222, (2,), False, True),  # 2,000 to train on
        (2_224, (2,), False, False),
        (1_666, (2,), True, True),
        (1_668, (2,), True, False),
        (832, (8, 8), False, True),
        (834, (8, 8), False, False),
    ],
)
def test_a_quick_examination_takes_all_there_are_where_a_full_one_takes_no_more(
    rows: int, shape: tuple[int, ...], labels: bool, all_of_them: bool
) -> None:
    kind = np.uint8 if len(shape) > 1 else np.float64
    source = open_source(RNG.integers(0, 256, (rows, *shape)).astype(kind), [0, 1] * (rows // 2))
    assert takes_all(source, labels, QUICK) is all_of_them
    assert takes_all(source, labels, FULL)


def test_an_examination_never_takes_all_of_a_distribution() -> None:
    assert not takes_all(DistributionSource(Gaussian()), False, FULL)

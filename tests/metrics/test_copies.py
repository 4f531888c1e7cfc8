"""Copies of training samples against planted ones."""

from __future__ import annotations

import numpy as np
import pytest

from equipoise.metrics.copies import copied_fraction

RNG = np.random.default_rng(0)


def test_fresh_samples_are_not_copied_and_copies_are() -> None:
    training, fresh = RNG.normal(size=(2, 1000, 4))
    held_out = RNG.normal(size=(200, 4))
    honest = copied_fraction(fresh, held_out, training)
    assert honest.low < 0 < honest.high
    copied = copied_fraction(training + RNG.normal(0, 1e-3, training.shape), held_out, training)
    assert copied.value > 0.99
    assert copied.low > 0.8


def test_samples_that_are_smoother_than_real_ones_are_not_taken_for_copies() -> None:
    training, fresh = RNG.normal(size=(2, 1000, 4))
    smooth = copied_fraction(
        0.5 * fresh, RNG.normal(size=(200, 4)), training
    )  # all are nearer to the training samples than real ones are
    assert smooth.low < 0


@pytest.mark.parametrize("columns", [2, 20])
def test_an_honest_sampler_is_taken_for_one_that_copies_in_two_and_a_half_percent_of_all_cases(
    columns: int,
) -> None:
    """Of 400 the number is binomial, mean 10, and at most 20 in 99.9% of all cases."""
    rng, wrong, inside = np.random.default_rng(0), 0, 0
    for _ in range(400):
        training, held_out, fresh = (rng.normal(size=(n, columns)) for n in (450, 50, 300))
        found = copied_fraction(fresh, held_out, training)
        wrong, inside = wrong + (found.low > 0), inside + (found.low <= 0 <= found.high)
    assert wrong <= 20
    assert inside >= 360


def test_the_interval_holds_the_fraction_of_copies_in_95_percent_of_all_cases() -> None:
    """Of 150 at least 136 do in 99% of all cases, if 95% should."""
    rng, inside = np.random.default_rng(0), 0
    for _ in range(150):
        training, fresh = rng.normal(size=(2, 500, 4))
        found = copied_fraction(
            np.concatenate([fresh[:350], training[:150]]), rng.normal(size=(100, 4)), training
        )
        inside += found.low < 0.3 < found.high
    assert inside >= 136


def test_too_few_held_out_samples_cannot_tell_copies() -> None:
    training, fresh = RNG.normal(size=(2, 300, 2))
    assert (
        copied_fraction(np.repeat(fresh[:1], 300, 0), RNG.normal(size=(2, 2)), training).low
        == -np.inf
    )


def test_a_perfect_sampler_of_whole_numbers_copies_nothing_though_rows_repeat() -> None:
    found = []
    for _ in range(30):
        training, held_out, fresh = (
            RNG.poisson(3.0, (n, 3)).astype(float) for n in (1800, 200, 500)
        )
        found.append(copied_fraction(fresh, held_out, training).value)
    assert np.mean(found) == pytest.approx(0, abs=0.05)


def test_copies_of_a_training_set_of_which_a_part_was_searched_count_in_full() -> None:
    training = RNG.normal(size=(2000, 3))
    found = copied_fraction(
        training[RNG.permutation(2000)[:1000]],
        RNG.normal(size=(300, 3)),
        training[:500],
        searched=0.25,
    )
    assert found.low - 0.1 < 1 < found.high + 0.1

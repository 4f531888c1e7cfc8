"""Diagnoses: each needs the evidence of its cause, causes come before symptoms, and
nothing far from its floor is praised."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest

from equipoise.diagnosis import HEALTHY, Evidence, Verdict, diagnose
from equipoise.metrics.result import (
    AGREEMENT,
    C2ST,
    COPIED,
    COVERAGE,
    DIMENSION,
    DIVERSITY,
    FINITE,
    PRECISION,
    READ_ALIKE,
    RECALL,
    REVERSE_KL,
    SPREAD,
    WORST_COLUMN,
    MetricResult,
)

HEADLINE = "sliced Wasserstein"
TEN = (0.1,) * 10


def metric(name: str, value: float, floor: float, off: float | None = None) -> MetricResult:
    ends = (None, None) if off is None else (value - off, value + off)
    return MetricResult(name, value, floor, "lower", "n samples", *ends)


def told(*metrics: MetricResult, log: Any = (), **settings: Any) -> Verdict:
    usual: dict[str, Any] = {
        "held_out": 1000,
        "samples_seen": 1000,
        "usual_samples": 1000,
        "recipe": "balanced",
        "latent_dim": 2,
        "class_frequencies": (),
        "data": "ring",
        "run": "runs/ring-0",
    }
    return diagnose(Evidence(metrics=metrics, log=log, **{**usual, **settings}))


def falling(*values: float) -> list[dict[str, Any]]:
    """Judged at even distances in a run of 1,000 samples."""
    return [
        {
            "samples_seen": 1000 * (i + 1) // len(values),
            "seconds": 0.0,
            "metrics": {HEADLINE: value},
        }
        for i, value in enumerate(values)
    ]


def balanced_at(*values: float) -> list[dict[str, Any]]:
    return [{"samples_seen": i, "seconds": 0.0, "balance": value} for i, value in enumerate(values)]


FLAT = falling(0.5, 0.5, 0.5, 0.5, 0.5, 0.5)


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (0.005, "converged"),
        (0.014, "converged"),
        (0.03, "close"),
        (0.06, "stalled"),
        (5.0, "stalled"),
    ],
)
def test_the_name_follows_the_headline_over_its_floor(value: float, name: str) -> None:
    assert told(metric(HEADLINE, value, 0.005)).name == name


def test_the_sentence_gives_the_figure_its_floor_and_the_c2st() -> None:
    said = told(metric(HEADLINE, 0.03, 0.005), metric(C2ST, 0.72, 0.5, 0.01)).sentence
    assert f"{HEADLINE} is 0.03, 6.0 times the baseline of real samples (0.005)" in said
    assert (
        "a newly trained classifier tells generated from real samples with 72% accuracy "
        "(chance: 50%)" in said
    )


def headline(value: float, floor: float, off: float, narrowed: float) -> MetricResult:
    return MetricResult(
        HEADLINE, value, floor, "lower", "n samples", value - off, value + off, narrowed
    )


SURE = headline(0.03, 0.005, 0.001, 0.05), metric(C2ST, 0.505, 0.5, 0.01)


def test_it_is_surely_balanced_where_every_test_of_equivalence_passes_though_not_at_its_floor() -> (
    None
):
    verdict = told(*SURE)
    assert (verdict.name, verdict.sure) == ("converged", "sure")
    assert "can hardly be told apart" in verdict.sentence
    assert told(headline(0.3, 0.005, 0.001, 0.5), SURE[1]).name == "stalled"


@pytest.mark.parametrize(
    "metrics",
    [
        (SURE[0], metric(C2ST, 0.505, 0.5, 0.03)),
        (SURE[0], metric(C2ST, 0.54, 0.5, 0.01)),
        (headline(0.03, 0.005, 0.025, 0.05), SURE[1]),
        (headline(0.03, 0.005, 0.001, 0.02), SURE[1]),
        (SURE[0],),
        (*SURE, metric(PRECISION, 0.88, 0.97)),
        (*SURE, metric(SPREAD, 0.85, 1.0)),
    ],
)
def test_a_test_of_equivalence_that_does_not_pass_makes_it_unsure(
    metrics: tuple[MetricResult, ...],
) -> None:
    assert told(*metrics).name == "close"
    at_floor = replace(metrics[0], value=0.005, low=0.004, high=0.006), *metrics[1:]
    if metrics[0] == SURE[0]:
        assert (told(*at_floor).name, told(*at_floor).sure) == ("converged", "likely")


def test_100_held_out_samples_at_9_times_the_floor_and_59_percent_are_not_surely_balanced() -> None:
    metrics = headline(0.0475, 0.005, 0.02, 0.05), metric(C2ST, 0.59, 0.5, 0.1)
    verdict = told(*metrics, held_out=100)
    assert (verdict.name, verdict.sure) != ("converged", "sure")


def test_at_the_floor_of_data_that_cannot_show_a_sampler_to_be_good_it_is_undecided() -> None:
    unknown = metric(HEADLINE, 0.005, 0.005), metric(C2ST, 0.5, 0.5, 0.07)
    for held_out, name in ((30, "undecided"), (150, "undecided"), (1000, "converged")):
        verdict = told(*unknown, held_out=held_out)
        assert (verdict.name, verdict.sure == "sure") == (name, name == "undecided")
    assert "30 held-out samples are too few" in told(*unknown, held_out=30).sentence
    assert "at least 10,000 rows" in told(*unknown, held_out=30).advice


@pytest.mark.parametrize(
    ("metrics", "name"),
    [
        ((metric(HEADLINE, 0.2, 0.05), metric(C2ST, 1.0, 0.5, 0.04)), "stalled"),
        ((metric(HEADLINE, 0.2, 0.05), metric(DIVERSITY, 0.01, 1.2)), "mode collapse"),
        ((metric(HEADLINE, 0.1, 0.05), metric(C2ST, 0.8, 0.5, 0.3)), "undecided"),
    ],
)
def test_what_is_plain_is_said_of_few_held_out_samples_too(
    metrics: tuple[MetricResult, ...], name: str
) -> None:
    verdict = told(*metrics, held_out=80, log=FLAT)
    assert verdict.name == name
    assert "80" in verdict.sentence


def test_samples_that_are_all_one_at_a_learning_rate_of_10_are_a_collapse_however_short_the_run() -> (
    None
):
    alike = metric("patch distance", 0.5, 0.05), metric(DIVERSITY, 0.0, 1.2)
    verdict = told(
        *alike, held_out=6, samples_seen=100, usual_samples=1_000_000, changed=("learning_rate",)
    )
    assert verdict.name == "mode collapse"
    assert "nearly all alike" in verdict.sentence
    assert "Only 6 samples were held out" in verdict.sentence
    assert "leave learning_rate to the recipe" in verdict.advice
    assert (
        "So far they are nearly all alike"
        in told(*alike, samples_seen=100, usual_samples=1_000_000).sentence
    )


def test_a_recipe_that_gets_better_too_slowly_is_sent_to_the_default_and_not_to_train_longer() -> (
    None
):
    slow, fast = falling(1.4, 1.3, 1.2, 1.1, 1.0, 0.9), falling(4, 2, 1, 0.5, 0.2, 0.1)
    stuck = metric(HEADLINE, 0.9, 0.01)
    verdict = told(stuck, log=slow, recipe="classic")
    assert verdict.name == "stalled"
    assert verdict.command == "equipoise train ring"
    assert "too slowly" in verdict.sentence
    assert told(stuck, log=slow).name == "still improving"
    assert told(metric(HEADLINE, 0.12, 0.01), log=fast, recipe="classic").name == "still improving"


def test_train_longer_says_how_long_that_takes() -> None:
    log = [
        {**line, "seconds": line["samples_seen"] / 10} for line in falling(4, 3, 2, 1.5, 1.2, 1.0)
    ]
    assert (
        "Next: train longer, about 2 minutes" in told(metric(HEADLINE, 1.0, 0.01), log=log).advice
    )


def test_missing_modes_come_before_a_small_distance_and_another_recipe_is_sent_to_the_default() -> (
    None
):
    verdict = told(
        metric(HEADLINE, 0.001, 0.001), metric("modes covered, of 8", 7, 8), recipe="classic"
    )
    assert verdict.name == "mode collapse"
    assert "7 of 8 modes" in verdict.sentence
    assert verdict.command == "equipoise train ring"


def test_samples_beside_every_mode_are_off_them_but_not_collapsed() -> None:
    far, modes = metric(HEADLINE, 1.0, 0.01), metric("modes covered, of 8", 5, 8)
    assert told(far, modes, metric(REVERSE_KL, 0.01, 0.001)).name == "stalled"
    assert told(far, modes, metric(REVERSE_KL, 0.47, 0.001)).name == "mode collapse"


def test_missing_digits_are_named() -> None:
    shares = [
        metric(f"share of {digit}", 0.0 if digit in (3, 7) else 0.125, 0.1) for digit in range(10)
    ]
    verdict = told(metric("Fréchet (digit features)", 1.0, 1.0), *shares)
    assert verdict.name == "mode collapse"
    assert "hardly any 3, 7 among the digits" in verdict.sentence


def test_precise_samples_that_cover_little_are_a_collapse_and_vague_ones_are_not() -> None:
    far = metric(HEADLINE, 1.0, 0.01)
    assert (
        told(far, metric(COVERAGE, 0.2, 0.97), metric(PRECISION, 0.95, 0.97)).name
        == "mode collapse"
    )
    assert told(far, metric(COVERAGE, 0.2, 0.97), metric(PRECISION, 0.2, 0.97)).name == "stalled"


def test_modes_that_shrank_to_points_are_a_collapse_however_near_the_headline_and_no_c2st_sees_it() -> (
    None
):
    """As D's learning rate times a hundred left the ring, whose modes the recipe knows."""
    metrics = (
        metric(HEADLINE, 0.0148, 0.0097),
        metric(COVERAGE, 0.04, 0.97),
        metric(PRECISION, 1.0, 0.99),
        metric(SPREAD, 0.03, 0.99),
    )
    verdict = told(*metrics, metric(C2ST, 0.503, 0.5, 0.01), changed=("discriminator_rate",))
    assert verdict.name == "mode collapse"
    assert (
        "they come near 4% of the real samples, where as many real ones come near 97%"
        in verdict.sentence
    )
    assert "leave discriminator_rate to the recipe" in verdict.advice
    assert verdict.command == "equipoise train ring"


def test_a_distribution_that_a_c2st_begins_to_tell_is_close_and_not_balanced_however_near_the_headline() -> (
    None
):
    near = metric(HEADLINE, 0.01, 0.005)
    assert told(near, metric(C2ST, 0.54, 0.5, 0.01)).name == "converged"
    assert told(near, metric(C2ST, 0.59, 0.5, 0.01)).name == "close"
    assert told(near, metric(C2ST, 0.59, 0.5, 0.01)).sure == "sure"
    assert told(near, metric(C2ST, 0.59, 0.5, 0.08)).sure == "likely"


def test_samples_off_the_data_that_a_c2st_tells_are_not_close_however_small_the_distance() -> None:
    near, off = metric(HEADLINE, 0.04, 0.01), metric(PRECISION, 0.41, 0.99)
    verdict = told(near, off, metric(C2ST, 0.8, 0.5, 0.01), log=FLAT)
    assert verdict.name == "stalled"
    assert "41% of them lie where the data does, of real ones 99%" in verdict.sentence
    assert told(near, off, metric(C2ST, 0.55, 0.5, 0.01)).name == "close"


def test_modes_that_are_too_narrow_are_not_called_balanced() -> None:
    verdict = told(
        metric(HEADLINE, 0.01, 0.01),
        metric("modes covered, of 8", 8, 8),
        metric(SPREAD, 0.46, 0.99),
    )
    assert verdict.name == "close"
    assert "too narrow inside the modes (spread 0.46, real ones 0.99)" in verdict.sentence


def test_a_d_that_is_always_right_has_won_unless_the_samples_are_near_or_still_getting_better() -> (
    None
):
    far, certain = metric(HEADLINE, 1.0, 0.01), balanced_at(*[0.999] * 20)
    assert told(far, log=[*FLAT, *certain]).name == "discriminator won"
    assert told(far, log=[*falling(4, 3, 2, 1.5, 1.2, 1.0), *certain]).name == "still improving"
    assert told(metric(HEADLINE, 0.01, 0.01), log=[*FLAT, *certain]).name == "converged"
    assert told(far, log=[*FLAT, *balanced_at(*[0.7] * 20)]).sure == "likely"
    assert told(far, log=[*FLAT, *balanced_at(*[0.55] * 20)]).name == "stalled"


def test_beside_its_cause_the_verdict_says_what_is_missing() -> None:
    few = (
        metric(HEADLINE, 1.0, 0.01),
        metric("modes covered, of 8", 3, 8),
        metric(REVERSE_KL, 1.0, 0.0),
    )
    verdict = told(*few, log=[*FLAT, *balanced_at(*[0.999] * 20)])
    assert verdict.name == "discriminator won"
    assert verdict.sentence.endswith(" The samples lack variety: 3 of 8 modes are covered.")
    assert told(*few, log=FLAT).sentence.count("3 of 8 modes") == 1


def test_a_d_that_sees_nothing_where_a_fresh_c2st_does_has_lost() -> None:
    far, blind = metric(HEADLINE, 1.0, 0.01), [*FLAT, *balanced_at(*[0.5] * 20)]
    assert told(far, metric(C2ST, 0.95, 0.5, 0.01), log=blind).name == "generator won"
    assert told(far, metric(C2ST, 0.6, 0.5, 0.01), log=blind).name == "stalled"


def test_a_d_that_is_wrong_for_a_good_part_of_the_training_was_led_astray_even_if_the_figure_falls() -> (
    None
):
    log = [*falling(4, 3, 2, 1.5, 1.2, 1.0), *balanced_at(*[0.05, 0.9] * 10)]
    assert told(metric(HEADLINE, 1.0, 0.01), log=log).name == "generator won"
    assert told(metric(HEADLINE, 0.01, 0.01), log=log).name == "converged"


def test_a_run_that_is_short_or_falling_is_still_improving_and_is_told_how_to_go_on() -> None:
    far = metric(HEADLINE, 1.0, 0.01)
    blind = [*falling(1.0), *balanced_at(*[0.5] * 20)]
    assert (
        told(far, metric(C2ST, 0.99, 0.5, 0.01), samples_seen=20, log=blind).name
        == "still improving"
    )
    for verdict in (told(far, samples_seen=20), told(far, log=falling(4, 3, 2, 1.5, 1.2, 1.0))):
        assert verdict.name == "still improving"
    assert verdict.command == "equipoise train --resume runs/ring-0 --samples 2000"


def test_a_run_that_was_judged_seldom_is_still_improving_by_the_samples_that_it_saw() -> None:
    evaluated = zip((350, 400, 600, 800, 1000), (4.8, 4.35, 2.7, 2.32, 2.29), strict=True)
    log = [
        {"samples_seen": seen, "seconds": 0.0, "metrics": {HEADLINE: value}}
        for seen, value in evaluated
    ]
    verdict = told(
        metric(HEADLINE, 2.3, 0.02),
        metric(C2ST, 0.95, 0.5, 0.01),
        log=[*log, *balanced_at(*[0.58] * 20)],
    )
    assert verdict.name == "still improving"
    assert "from 2.7 to 2.29 in the last third" in verdict.sentence


def test_copies_are_told_when_they_are_more_than_chance() -> None:
    close = metric(HEADLINE, 0.01, 0.01)
    assert told(close, metric(COPIED, 0.9, 0.0, 0.1)).name == "memorising"
    assert told(close, metric(COPIED, 0.1, 0.0, 0.2)).name == "converged"
    assert (
        told(
            metric(HEADLINE, 1.0, 0.01), metric(COPIED, 1.0, 0.0, 0.1), metric(PRECISION, 0.0, 0.9)
        ).name
        == "stalled"
    )
    assert told(close, metric(COPIED, 0.35, 0.0, 0.5)).name == "converged"


def test_labels_that_do_not_come_are_ignored_and_labels_that_say_nothing_cannot_be_learned() -> (
    None
):
    close = metric(HEADLINE, 0.01, 0.01)
    ignored = told(close, metric(AGREEMENT, 0.12, 0.98), class_frequencies=TEN)
    assert ignored.name == "labels ignored"
    assert "ignores the labels" in ignored.sentence
    meaningless = told(close, metric(AGREEMENT, 0.11, 0.1), class_frequencies=TEN)
    assert meaningless.name == "labels ignored"
    assert "say nothing about the data" in meaningless.sentence
    assert told(close, metric(AGREEMENT, 0.9, 0.98), class_frequencies=TEN).name == "converged"


def test_a_common_class_does_not_hide_that_labels_are_ignored() -> None:
    close, uneven = metric(HEADLINE, 0.01, 0.01), (0.95, 0.05)
    assert (
        "ignores the labels"
        in told(close, metric(AGREEMENT, 0.905, 0.995), class_frequencies=uneven).sentence
    )
    assert (
        "say nothing"
        in told(close, metric(AGREEMENT, 0.95, 0.95), class_frequencies=uneven).sentence
    )
    assert told(close, metric(AGREEMENT, 0.99, 0.995), class_frequencies=uneven).name == "converged"


def test_labels_of_a_rare_class_that_overlaps_with_a_common_one_are_not_said_to_say_nothing_and_drawn_ones_are() -> (
    None
):
    unread, uneven = (metric(HEADLINE, 0.01, 0.01), metric(AGREEMENT, 0.95, 0.95)), (0.95, 0.05)
    assert (
        told(*unread, metric(READ_ALIKE, 0.69, 0.5, 0.06), class_frequencies=uneven).name
        == "converged"
    )
    for right, off in ((0.48, 0.06), (0.57, 0.08), (0.53, 0.02)):
        assert (
            "say nothing"
            in told(*unread, metric(READ_ALIKE, right, 0.5, off), class_frequencies=uneven).sentence
        )


def test_a_latent_is_too_small_only_where_samples_lack_the_dimensions_and_the_latent_has_not_enough_numbers() -> (
    None
):
    far, lost = metric(HEADLINE, 0.1, 0.01), metric(DIMENSION, 1.05, 2.0)
    verdict = told(far, lost, latent_dim=1)
    assert verdict.name == "latent too small"
    assert verdict.command == "equipoise train ring --latent-dim 4"
    assert told(far, lost, latent_dim=4).name != "latent too small"
    assert told(far, metric(DIMENSION, 1.9, 2.0), latent_dim=1).name != "latent too small"


def test_numbers_that_ran_away_are_divergence() -> None:
    assert (
        told(
            metric(HEADLINE, 1.0, 0.01),
            log=[
                {
                    "samples_seen": 9,
                    "seconds": 0.0,
                    "diverged": "training diverged: r1 is not finite",
                }
            ],
        ).name
        == "diverged"
    )
    assert told(metric(FINITE, 0.4, 1.0)).name == "diverged"
    assert told(metric(HEADLINE, 1e6, 0.01)).name == "diverged"
    assert (
        told(metric("Wasserstein-1", 1.0, 0.1), metric("standard deviation", 900.0, 1.0)).name
        == "diverged"
    )


def test_samples_far_outside_are_divergence_though_the_baseline_of_few_samples_is_large() -> None:
    far = metric(HEADLINE, 1600.0, 0.2), metric(WORST_COLUMN, 2000.0, 0.3)
    verdict = told(*far, held_out=32, log=falling(1800, 1790, 1780, 1700, 1600, 1550))
    assert verdict.name == "diverged"
    assert "lie far outside the data" in verdict.sentence
    assert (
        told(metric(HEADLINE, 3.0, 0.2), metric(WORST_COLUMN, 5.0, 0.3), held_out=32).name
        != "diverged"
    )
    assert (
        told(metric(HEADLINE, 3.0, 0.2), metric(WORST_COLUMN, 9e9, 1e12), held_out=32).name
        != "diverged"
    )  # of extreme outliers


def test_a_figure_that_was_good_and_then_leapt_up_is_divergence_unless_it_ended_well() -> None:
    log = falling(1.0, 0.1, 0.2, 40.0, 3.0, 0.5)
    verdict = told(metric(HEADLINE, 0.5, 0.01), log=log)
    assert verdict.name == "diverged"
    assert "was 0.1 while training, and rose to 40 after" in verdict.sentence
    assert told(metric(HEADLINE, 0.01, 0.01), log=log).name == "converged"
    assert (
        told(metric(HEADLINE, 0.5, 0.01), log=falling(1.0, 0.3, 0.5, 0.4, 0.6, 0.5)).name
        != "diverged"
    )


def test_a_little_more_than_nothing_is_not_divergence_and_what_is_not_a_number_is() -> None:
    little = metric("Wasserstein-1", 1.5e-5, 0.0), metric("standard deviation", 1.7e-5, 0.0)
    verdict = told(*little, log=FLAT)
    assert verdict.name == "stalled"
    assert "Wasserstein-1 is 1.5e-05, where real samples get 0" in verdict.sentence
    assert (
        told(metric(HEADLINE, 1.5e-5, 0.0), log=falling(1e-6, 1e-6, 1e-6, 1e-5, 1e-5, 1.5e-5)).name
        != "diverged"
    )
    for value in (math.inf, math.nan):
        for floor in (0.0, 0.1):
            gone = told(metric(HEADLINE, value, floor))
            assert gone.name == "diverged"
            assert "inf times" not in gone.sentence


def test_a_run_that_went_back_and_on_says_so() -> None:
    log = [{"samples_seen": 5, "seconds": 0.0, "recovered": "r1"}]
    assert told(metric(HEADLINE, 0.01, 0.01), log=log).name == "recovered from trouble"
    assert told(metric(HEADLINE, 1.0, 0.01), log=[*FLAT, *log]).name == "recovered from trouble"


def test_samples_as_good_as_real_ones_are_fine_even_where_both_distances_are_nothing() -> None:
    assert (
        told(metric("Wasserstein-1", 0.0, 0.0), metric("standard deviation", 0.1, 0.0)).name
        == "converged"
    )


def test_a_run_that_settled_does_not_still_improve_and_what_came_after_its_best_is_not_held_against_it() -> (
    None
):
    log = [
        *falling(1.0, 0.9, 0.8, 0.7, 40.0, 39.0),
        {"samples_seen": 5, "seconds": 0.0, "early_stopped": 3},
    ]
    assert (
        told(
            metric(HEADLINE, 0.7, 0.01), log=log, samples_seen=3, usual_samples=1000, held_out=1000
        ).name
        == "stalled"
    )


def test_settings_that_are_not_the_recipes_own_are_what_to_leave_out() -> None:
    far, certain = metric(HEADLINE, 1.0, 0.01), [*FLAT, *balanced_at(*[0.999] * 20)]
    assert (
        "leave gamma, width to the recipe"
        in told(far, log=certain, changed=("gamma", "width")).advice
    )
    assert told(far, log=certain, changed=("gamma",)).command == "equipoise train ring"
    assert told(far, log=certain).command == ""  # the same again would do the same again
    assert told(far, log=certain, recipe="dcgan", data="").command == ""


def test_a_run_without_a_directory_is_told_in_pythons_words() -> None:
    verdict = told(metric(HEADLINE, 1.0, 0.01), samples_seen=20, run=None)
    assert verdict.command == ""
    assert "samples=1,000" in verdict.advice


def test_nothing_far_from_its_floor_is_called_balanced_or_close() -> None:
    for recipe in ("balanced", "classic"):
        for log in ((), FLAT, falling(4, 3, 2, 1.5, 1.2, 1.0), balanced_at(0.5, 0.5)):
            assert told(metric(HEADLINE, 0.11, 0.01), log=log, recipe=recipe).name not in (
                "converged",
                "close",
            )
    assert {"converged", "close", "still improving"} <= HEALTHY


def test_metrics_while_training_that_were_not_numbers_hide_no_trend() -> None:
    log = falling(math.nan, 3, 2, 1.5, math.nan, 1.0)
    said = told(metric(HEADLINE, 1.0, 0.01), log=log).sentence
    assert said.startswith("This is not the end: sliced Wasserstein still falls, from 1.5 to 1")


@pytest.mark.parametrize("value", [0.0, 0.5])
def test_modes_so_narrow_that_real_samples_have_no_spread_are_judged_by_the_rest(
    value: float,
) -> None:
    good = metric(HEADLINE, 0.01, 0.01), metric(C2ST, 0.5, 0.5, 0.01), metric(SPREAD, value, 0.0)
    assert told(*good).name == ("converged" if value == 0 else "close")


def test_labels_of_which_all_samples_have_one_are_not_judged() -> None:
    assert (
        told(
            metric(HEADLINE, 0.01, 0.01), metric(AGREEMENT, 1.0, 1.0), class_frequencies=(1.0, 0.0)
        ).name
        != "labels ignored"
    )


def test_of_a_run_of_a_few_steps_no_cause_is_named_however_its_curves_look() -> None:
    """Curves of eight steps: D has seen nothing yet, and no setting is to blame."""
    far, wrong = metric(HEADLINE, 1.0, 0.01), [*FLAT, *balanced_at(*[0.2] * 20)]
    few = told(
        far, metric(C2ST, 0.99, 0.5, 0.01), log=wrong, samples_seen=64, usual_samples=512_000
    )
    assert few.name == "still improving"
    assert told(far, metric(C2ST, 0.99, 0.5, 0.01), log=wrong).name == "generator won"


def test_with_early_stopping_twice_the_rows_are_needed_since_half_of_what_is_held_out_chooses() -> (
    None
):
    unknown = metric(HEADLINE, 0.005, 0.005), metric(C2ST, 0.5, 0.5, 0.07)
    assert (
        "at least 20,000 rows: a twentieth"
        in told(*unknown, held_out=30, early_stopping=True).advice
    )


def test_a_part_of_the_data_that_is_left_out_is_named_where_recall_can_tell() -> None:
    near = metric(HEADLINE, 0.01, 0.005), metric(C2ST, 0.55, 0.5, 0.01), metric(RECALL, 0.85, 0.97)
    assert (
        "85% of the real samples lie among them, as many real ones hold 97%" in told(*near).sentence
    )
    assert told(*near).name == "close"
    few = told(metric(HEADLINE, 0.01, 0.005), *SURE[1:], near[2], held_out=300)
    assert "lie among them" not in few.sentence  # that can be chance
    assert (few.name, few.sure) == ("converged", "likely")


@pytest.mark.parametrize("metrics", [(metric(DIVERSITY, 0.01, 1.0),), ()])
def test_of_few_rows_the_advice_is_more_of_them_and_not_more_training(
    metrics: tuple[MetricResult, ...],
) -> None:
    verdict = told(metric(HEADLINE, 1.0, 0.01), *metrics, held_out=30, log=FLAT)
    assert verdict.name in ("mode collapse", "stalled")
    assert (
        verdict.advice
        == "Next: use more data, at least 10,000 rows: a tenth is held out for testing."
    )
    assert not verdict.command
    assert (
        "train longer"
        in told(
            metric(HEADLINE, 1.0, 0.01),
            held_out=30,
            log=falling(9, 7, 5, 3, 2, 1),
            samples_seen=100,
        ).advice
    )


@pytest.mark.parametrize("value", [0.03, 1.0, 1e9])
def test_where_extreme_outliers_are_in_the_data_the_advice_is_to_mend_them(value: float) -> None:
    verdict = told(metric(HEADLINE, value, 0.005), log=FLAT, outliers=True)
    assert "correct or remove the extreme outliers" in verdict.advice
    assert "outliers" not in told(metric(HEADLINE, 0.005, 0.005), outliers=True).advice

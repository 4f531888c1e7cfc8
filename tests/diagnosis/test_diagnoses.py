"""Diagnoses: each needs the evidence of its cause, and causes come before symptoms."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest

from equipoise.diagnosis import HEALTHY, Evidence, Verdict, diagnose
from equipoise.metrics.c2st import C2ST_ACCURACY
from equipoise.metrics.conditional import LABEL_ACCURACY, REAL_BALANCED_ACCURACY
from equipoise.metrics.copies import COPIED_FRACTION
from equipoise.metrics.digit_frequencies import DIGIT_FREQUENCY
from equipoise.metrics.diversity import MEAN_PAIRWISE_DISTANCE
from equipoise.metrics.finite import FINITE_FRACTION
from equipoise.metrics.frechet import DIGIT_FRECHET, PHOTO_FRECHET
from equipoise.metrics.intrinsic_dimension import INTRINSIC_DIMENSION
from equipoise.metrics.mmd import PHOTO_KERNEL
from equipoise.metrics.modes import MODE_SPREAD, MODES_COVERED, REVERSE_KL
from equipoise.metrics.moments import STANDARD_DEVIATION
from equipoise.metrics.neighbours import COVERAGE, PRECISION, RECALL
from equipoise.metrics.patch_swd import PATCH_SWD
from equipoise.metrics.registry import Metric
from equipoise.metrics.result import MetricResult
from equipoise.metrics.wasserstein import SLICED_WASSERSTEIN, WASSERSTEIN_1, WORST_COLUMN

PRIMARY = SLICED_WASSERSTEIN
TEN = (0.1,) * 10


def result(
    metric: Metric,
    value: float,
    baseline: float,
    off: float | None = None,
    *,
    detail: object = None,
) -> MetricResult:
    ends = (None, None) if off is None else (value - off, value + off)
    return MetricResult.of(metric, value, baseline, "n samples", *ends, detail=detail)


def verdict_of(*metrics: MetricResult, log: Any = (), **settings: Any) -> Verdict:
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
            "metrics": {PRIMARY.key: value},
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
def test_the_name_follows_the_primary_metric_over_its_baseline(value: float, name: str) -> None:
    assert verdict_of(result(PRIMARY, value, 0.005)).name == name


def test_the_sentence_gives_the_primary_metric_its_baseline_and_the_c2st() -> None:
    sentence = verdict_of(
        result(PRIMARY, 0.03, 0.005), result(C2ST_ACCURACY, 0.72, 0.5, 0.01)
    ).sentence
    assert f"{PRIMARY.label} is 0.03, 6.0 times the baseline of real samples (0.005)" in sentence
    assert (
        "a newly trained classifier tells generated from real samples with 72% accuracy "
        "(chance: 50%)" in sentence
    )


def primary(value: float, baseline: float, off: float, narrowed: float) -> MetricResult:
    return replace(result(PRIMARY, value, baseline, off), narrowed=narrowed)


SURE = primary(0.03, 0.005, 0.001, 0.05), result(C2ST_ACCURACY, 0.505, 0.5, 0.01)


def test_it_has_surely_converged_where_every_test_of_equivalence_passes() -> None:
    verdict = verdict_of(*SURE)
    assert (verdict.name, verdict.sure) == ("converged", "sure")
    assert "can hardly be distinguished" in verdict.sentence
    assert verdict_of(primary(0.3, 0.005, 0.001, 0.5), SURE[1]).name == "stalled"


@pytest.mark.parametrize(
    "metrics",
    [
        (SURE[0], result(C2ST_ACCURACY, 0.505, 0.5, 0.03)),
        (SURE[0], result(C2ST_ACCURACY, 0.54, 0.5, 0.01)),
        (primary(0.03, 0.005, 0.025, 0.05), SURE[1]),
        (primary(0.03, 0.005, 0.001, 0.02), SURE[1]),
        (SURE[0],),
        (*SURE, result(PRECISION, 0.88, 0.97)),
        (*SURE, result(COVERAGE, 0.94, 0.97, 0.03)),
        (*SURE, result(MODE_SPREAD, 0.85, 1.0)),
    ],
)
def test_a_test_of_equivalence_that_does_not_pass_makes_it_unsure(
    metrics: tuple[MetricResult, ...],
) -> None:
    assert verdict_of(*metrics).name == "close"
    at_baseline = replace(metrics[0], value=0.005, low=0.004, high=0.006), *metrics[1:]
    if metrics[0] == SURE[0]:
        assert (verdict_of(*at_baseline).name, verdict_of(*at_baseline).sure) == (
            "converged",
            "likely",
        )


def test_100_held_out_at_9_times_the_baseline_and_59_percent_have_not_surely_converged() -> None:
    metrics = primary(0.0475, 0.005, 0.02, 0.05), result(C2ST_ACCURACY, 0.59, 0.5, 0.1)
    verdict = verdict_of(*metrics, held_out=100)
    assert (verdict.name, verdict.sure) != ("converged", "sure")


def test_data_too_small_for_the_test_of_equivalence_is_undecided() -> None:
    unknown = result(PRIMARY, 0.005, 0.005), result(C2ST_ACCURACY, 0.5, 0.5, 0.07)
    for held_out, name in ((30, "undecided"), (150, "undecided"), (1000, "converged")):
        verdict = verdict_of(*unknown, held_out=held_out)
        assert (verdict.name, verdict.sure == "sure") == (name, name == "undecided")
    assert "30 held-out samples are too few" in verdict_of(*unknown, held_out=30).sentence
    assert "at least 10,000 rows" in verdict_of(*unknown, held_out=30).advice


@pytest.mark.parametrize(
    ("metrics", "name"),
    [
        ((result(PRIMARY, 0.2, 0.05), result(C2ST_ACCURACY, 1.0, 0.5, 0.04)), "stalled"),
        ((result(PRIMARY, 0.2, 0.05), result(MEAN_PAIRWISE_DISTANCE, 0.01, 1.2)), "mode collapse"),
        ((result(PRIMARY, 0.1, 0.05), result(C2ST_ACCURACY, 0.8, 0.5, 0.3)), "undecided"),
    ],
)
def test_what_is_obvious_is_found_with_few_held_out_samples_too(
    metrics: tuple[MetricResult, ...], name: str
) -> None:
    verdict = verdict_of(*metrics, held_out=80, log=FLAT)
    assert verdict.name == name
    assert "80" in verdict.sentence


def test_identical_samples_are_a_collapse_however_short_the_run() -> None:
    identical = result(PATCH_SWD, 0.5, 0.05), result(MEAN_PAIRWISE_DISTANCE, 0.0, 1.2)
    verdict = verdict_of(
        *identical,
        held_out=6,
        samples_seen=100,
        usual_samples=1_000_000,
        changed=("learning_rate",),
    )
    assert verdict.name == "mode collapse"
    assert "nearly identical" in verdict.sentence
    assert "Only 6 samples were held out" in verdict.sentence
    assert "leave learning_rate to the recipe" in verdict.advice
    assert (
        "So far they are nearly identical"
        in verdict_of(*identical, samples_seen=100, usual_samples=1_000_000).sentence
    )


def test_the_advice_for_a_recipe_that_improves_too_slowly_is_the_default_recipe() -> None:
    slow, fast = falling(1.4, 1.3, 1.2, 1.1, 1.0, 0.9), falling(4, 2, 1, 0.5, 0.2, 0.1)
    stuck = result(PRIMARY, 0.9, 0.01)
    verdict = verdict_of(stuck, log=slow, recipe="classic")
    assert verdict.name == "stalled"
    assert verdict.command == "equipoise train ring"
    assert "too slowly" in verdict.sentence
    assert verdict_of(stuck, log=slow).name == "still improving"
    assert (
        verdict_of(result(PRIMARY, 0.12, 0.01), log=fast, recipe="classic").name
        == "still improving"
    )


def test_train_longer_says_how_long_that_takes() -> None:
    log = [
        {**line, "seconds": line["samples_seen"] / 10} for line in falling(4, 3, 2, 1.5, 1.2, 1.0)
    ]
    assert (
        "Next: train longer, about 2 minutes"
        in verdict_of(result(PRIMARY, 1.0, 0.01), log=log).advice
    )


def test_missing_modes_come_before_a_small_distance() -> None:
    verdict = verdict_of(
        result(PRIMARY, 0.001, 0.001), result(MODES_COVERED, 7, 8, detail=8), recipe="classic"
    )
    assert verdict.name == "mode collapse"
    assert "7 of 8 modes" in verdict.sentence
    assert verdict.command == "equipoise train ring"


def test_samples_beside_every_mode_are_not_collapsed() -> None:
    far, modes = result(PRIMARY, 1.0, 0.01), result(MODES_COVERED, 5, 8, detail=8)
    assert verdict_of(far, modes, result(REVERSE_KL, 0.01, 0.001)).name == "stalled"
    assert verdict_of(far, modes, result(REVERSE_KL, 0.47, 0.001)).name == "mode collapse"


def test_missing_digits_are_named() -> None:
    frequencies = [
        result(DIGIT_FREQUENCY, 0.0 if digit in (3, 7) else 0.125, 0.1, detail=digit)
        for digit in range(10)
    ]
    verdict = verdict_of(result(DIGIT_FRECHET, 1.0, 1.0), *frequencies)
    assert verdict.name == "mode collapse"
    assert "hardly any 3, 7 among the digits" in verdict.sentence


def test_precise_samples_that_cover_little_are_a_collapse_and_blurred_ones_are_not() -> None:
    far = result(PRIMARY, 1.0, 0.01)
    assert (
        verdict_of(far, result(COVERAGE, 0.2, 0.97), result(PRECISION, 0.95, 0.97)).name
        == "mode collapse"
    )
    assert (
        verdict_of(far, result(COVERAGE, 0.2, 0.97), result(PRECISION, 0.2, 0.97)).name == "stalled"
    )


def test_modes_that_shrank_to_points_are_a_collapse_even_at_the_baseline() -> None:
    """As D's learning rate times a hundred left the ring."""
    metrics = (
        result(PRIMARY, 0.0148, 0.0097),
        result(COVERAGE, 0.04, 0.97),
        result(PRECISION, 1.0, 0.99),
        result(MODE_SPREAD, 0.03, 0.99),
    )
    verdict = verdict_of(
        *metrics, result(C2ST_ACCURACY, 0.503, 0.5, 0.01), changed=("discriminator_rate",)
    )
    assert verdict.name == "mode collapse"
    assert (
        "they come near 4% of the real samples, while as many real ones come near 97%"
        in verdict.sentence
    )
    assert "leave discriminator_rate to the recipe" in verdict.advice
    assert verdict.command == "equipoise train ring"


def test_two_samples_that_are_alike_are_no_collapse_and_five_are() -> None:
    distance = result(MEAN_PAIRWISE_DISTANCE, 65.0, 490.0)
    found = [
        verdict_of(result(PRIMARY, 0.02, 0.01), replace(distance, n_samples=n), held_out=n).name
        for n in (2, 5)
    ]
    assert found == ["undecided", "mode collapse"]


def test_coverage_whose_whole_interval_is_low_is_close() -> None:
    assert verdict_of(*SURE, result(COVERAGE, 0.95, 0.97, 0.015)).name == "converged"
    verdict = verdict_of(*SURE, result(COVERAGE, 0.93, 0.97, 0.015))
    assert (verdict.name, verdict.sure) == ("close", "sure")
    assert "they leave out part of its spread (they come near 93%" in verdict.sentence


def test_samples_at_the_baseline_that_a_c2st_distinguishes_are_close() -> None:
    near = result(PRIMARY, 0.01, 0.005)
    assert verdict_of(near, result(C2ST_ACCURACY, 0.54, 0.5, 0.01)).name == "converged"
    assert verdict_of(near, result(C2ST_ACCURACY, 0.59, 0.5, 0.01)).name == "close"
    assert verdict_of(near, result(C2ST_ACCURACY, 0.59, 0.5, 0.01)).sure == "sure"
    assert verdict_of(near, result(C2ST_ACCURACY, 0.59, 0.5, 0.08)).sure == "likely"


def test_samples_off_the_data_that_a_c2st_distinguishes_are_not_close() -> None:
    near, off = result(PRIMARY, 0.04, 0.01), result(PRECISION, 0.41, 0.99)
    verdict = verdict_of(near, off, result(C2ST_ACCURACY, 0.8, 0.5, 0.01), log=FLAT)
    assert verdict.name == "stalled"
    assert "41% of them lie where the data does, of real ones 99%" in verdict.sentence
    assert verdict_of(near, off, result(C2ST_ACCURACY, 0.55, 0.5, 0.01)).name == "close"


@pytest.mark.parametrize(("kernel", "name"), [(0.05, "close"), (0.12, "stalled")])
def test_photos_of_few_are_far_by_the_kernel_distance_whatever_the_baseline(
    kernel: float, name: str
) -> None:
    # Of 100 held-out images the Fréchet distance of real ones is large by its bias.
    found = verdict_of(
        result(PHOTO_FRECHET, 99.0, 56.0),
        result(PHOTO_KERNEL, kernel, 0.0),
        result(C2ST_ACCURACY, 0.8, 0.5, 0.05),
        log=FLAT,
        held_out=100,
    )
    assert found.name == name


def test_modes_that_are_too_narrow_are_only_close() -> None:
    verdict = verdict_of(
        result(PRIMARY, 0.01, 0.01),
        result(MODES_COVERED, 8, 8, detail=8),
        result(MODE_SPREAD, 0.46, 0.99),
    )
    assert verdict.name == "close"
    assert "too narrow inside the modes (spread 0.46, real ones 0.99)" in verdict.sentence


def test_a_d_that_is_always_right_has_won_unless_the_samples_are_near_or_improving() -> None:
    far, certain = result(PRIMARY, 1.0, 0.01), balanced_at(*[0.999] * 20)
    assert verdict_of(far, log=[*FLAT, *certain]).name == "discriminator won"
    assert (
        verdict_of(far, log=[*falling(4, 3, 2, 1.5, 1.2, 1.0), *certain]).name == "still improving"
    )
    assert verdict_of(result(PRIMARY, 0.01, 0.01), log=[*FLAT, *certain]).name == "converged"
    assert verdict_of(far, log=[*FLAT, *balanced_at(*[0.7] * 20)]).sure == "likely"
    assert verdict_of(far, log=[*FLAT, *balanced_at(*[0.55] * 20)]).name == "stalled"


def test_a_d_that_good_trainings_leave_ahead_has_won_only_where_it_is_always_right() -> None:
    far = result(PRIMARY, 1.0, 0.01)
    for balance, name in ((0.7, "stalled"), (0.999, "discriminator won")):
        log = [*FLAT, *balanced_at(*[balance] * 20)]
        verdict = verdict_of(far, log=log, ends_level=False)
        assert verdict.name == name
        assert "50%" not in verdict.sentence


def test_a_gain_that_is_lost_at_the_end_is_no_improvement() -> None:
    far, certain = result(PRIMARY, 71.0, 0.02), balanced_at(*[0.999] * 20)
    swinging = [*falling(55, 63, 70, 44, 71), *certain]  # of MNIST, at 100 times G's rate
    assert verdict_of(far, log=swinging).name == "discriminator won"
    assert verdict_of(far, log=[*falling(55, 63, 70, 44, 50), *certain]).name == "still improving"


def test_the_verdict_says_what_is_missing_beside_its_cause() -> None:
    few = (
        result(PRIMARY, 1.0, 0.01),
        result(MODES_COVERED, 3, 8, detail=8),
        result(REVERSE_KL, 1.0, 0.0),
    )
    verdict = verdict_of(*few, log=[*FLAT, *balanced_at(*[0.999] * 20)])
    assert verdict.name == "discriminator won"
    assert verdict.sentence.endswith(" The samples lack variety: 3 of 8 modes are covered.")
    assert verdict_of(*few, log=FLAT).sentence.count("3 of 8 modes") == 1


def test_a_d_that_finds_no_difference_where_a_c2st_does_has_failed() -> None:
    far, blind = result(PRIMARY, 1.0, 0.01), [*FLAT, *balanced_at(*[0.5] * 20)]
    assert (
        verdict_of(far, result(C2ST_ACCURACY, 0.95, 0.5, 0.01), log=blind).name == "generator won"
    )
    assert verdict_of(far, result(C2ST_ACCURACY, 0.6, 0.5, 0.01), log=blind).name == "stalled"


def test_a_d_that_is_often_wrong_was_misled_even_if_the_primary_metric_falls() -> None:
    log = [*falling(4, 3, 2, 1.5, 1.2, 1.0), *balanced_at(*[0.05, 0.9] * 10)]
    assert verdict_of(result(PRIMARY, 1.0, 0.01), log=log).name == "generator won"
    assert verdict_of(result(PRIMARY, 0.01, 0.01), log=log).name == "converged"


def test_a_run_that_is_short_or_falling_is_still_improving_with_a_command_to_go_on() -> None:
    far = result(PRIMARY, 1.0, 0.01)
    blind = [*falling(1.0), *balanced_at(*[0.5] * 20)]
    assert (
        verdict_of(far, result(C2ST_ACCURACY, 0.99, 0.5, 0.01), samples_seen=20, log=blind).name
        == "still improving"
    )
    for verdict in (
        verdict_of(far, samples_seen=20),
        verdict_of(far, log=falling(4, 3, 2, 1.5, 1.2, 1.0)),
    ):
        assert verdict.name == "still improving"
    assert verdict.command == "equipoise train --resume runs/ring-0 --samples 2000"


def test_a_run_with_few_evaluations_is_still_improving_by_its_samples_seen() -> None:
    evaluated = zip((350, 400, 600, 800, 1000), (4.8, 4.35, 2.7, 2.32, 2.29), strict=True)
    log = [
        {"samples_seen": seen, "seconds": 0.0, "metrics": {PRIMARY.key: value}}
        for seen, value in evaluated
    ]
    verdict = verdict_of(
        result(PRIMARY, 2.3, 0.02),
        result(C2ST_ACCURACY, 0.95, 0.5, 0.01),
        log=[*log, *balanced_at(*[0.58] * 20)],
    )
    assert verdict.name == "still improving"
    assert "from 2.7 to 2.29 in the last third" in verdict.sentence


def test_copies_are_memorised_when_they_are_more_than_chance() -> None:
    close = result(PRIMARY, 0.01, 0.01)
    assert verdict_of(close, result(COPIED_FRACTION, 0.9, 0.0, 0.1)).name == "memorising"
    assert verdict_of(close, result(COPIED_FRACTION, 0.1, 0.0, 0.2)).name == "converged"
    assert (
        verdict_of(
            result(PRIMARY, 1.0, 0.01),
            result(COPIED_FRACTION, 1.0, 0.0, 0.1),
            result(PRECISION, 0.0, 0.9),
        ).name
        == "stalled"
    )
    assert verdict_of(close, result(COPIED_FRACTION, 0.35, 0.0, 0.5)).name == "converged"


def test_against_memorised_images_the_same_recipe_is_advised_with_augmentation() -> None:
    copied = result(COPIED_FRACTION, 0.9, 0.0, 0.1), result(PATCH_SWD, 0.1, 0.1)
    advised = verdict_of(*copied, recipe="stylegan2")
    assert "--recipe stylegan2 --augment color,translation,cutout" in advised.command
    assert verdict_of(*copied, changed=("augment",)).command == ""


def test_copies_are_not_memorised_when_a_harmless_fraction_is_in_the_interval() -> None:
    close = result(PRIMARY, 0.01, 0.01)
    assert verdict_of(close, result(COPIED_FRACTION, 0.32, 0.0, 0.27)).name == "converged"
    assert verdict_of(close, result(COPIED_FRACTION, 0.45, 0.0, 0.27)).name == "memorising"


def test_labels_are_ignored_by_the_generator_or_not_related_to_the_data() -> None:
    close = result(PRIMARY, 0.01, 0.01)
    ignored = verdict_of(close, result(LABEL_ACCURACY, 0.12, 0.98), class_frequencies=TEN)
    assert ignored.name == "labels ignored"
    assert "not conditioned on the labels" in ignored.sentence
    meaningless = verdict_of(close, result(LABEL_ACCURACY, 0.11, 0.1), class_frequencies=TEN)
    assert meaningless.name == "labels ignored"
    assert "not related to the data" in meaningless.sentence
    assert (
        verdict_of(close, result(LABEL_ACCURACY, 0.9, 0.98), class_frequencies=TEN).name
        == "converged"
    )


def test_a_common_class_does_not_hide_that_labels_are_ignored() -> None:
    close, uneven = result(PRIMARY, 0.01, 0.01), (0.95, 0.05)
    assert (
        "not conditioned on the labels"
        in verdict_of(
            close, result(LABEL_ACCURACY, 0.905, 0.995), class_frequencies=uneven
        ).sentence
    )
    assert (
        "not related"
        in verdict_of(close, result(LABEL_ACCURACY, 0.95, 0.95), class_frequencies=uneven).sentence
    )
    assert (
        verdict_of(close, result(LABEL_ACCURACY, 0.99, 0.995), class_frequencies=uneven).name
        == "converged"
    )


def test_balanced_accuracy_decides_whether_labels_of_a_rare_class_are_related_to_the_data() -> None:
    unread, uneven = (result(PRIMARY, 0.01, 0.01), result(LABEL_ACCURACY, 0.95, 0.95)), (0.95, 0.05)
    assert (
        verdict_of(
            *unread, result(REAL_BALANCED_ACCURACY, 0.69, 0.5, 0.06), class_frequencies=uneven
        ).name
        == "converged"
    )
    for right, off in ((0.48, 0.06), (0.57, 0.08), (0.53, 0.02)):
        assert (
            "not related"
            in verdict_of(
                *unread, result(REAL_BALANCED_ACCURACY, right, 0.5, off), class_frequencies=uneven
            ).sentence
        )


def test_a_latent_is_too_small_where_samples_and_latent_lack_dimensions() -> None:
    far, reduced = result(PRIMARY, 0.1, 0.01), result(INTRINSIC_DIMENSION, 1.05, 2.0)
    verdict = verdict_of(far, reduced, latent_dim=1)
    assert verdict.name == "latent too small"
    assert verdict.command == "equipoise train ring --latent-dim 4"
    assert verdict_of(far, reduced, latent_dim=4).name != "latent too small"
    assert (
        verdict_of(far, result(INTRINSIC_DIMENSION, 1.9, 2.0), latent_dim=1).name
        != "latent too small"
    )


def test_samples_that_are_not_finite_or_far_outside_the_data_are_divergence() -> None:
    assert (
        verdict_of(
            result(PRIMARY, 1.0, 0.01),
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
    assert verdict_of(result(FINITE_FRACTION, 0.4, 1.0)).name == "diverged"
    assert verdict_of(result(PRIMARY, 1e6, 0.01)).name == "diverged"
    assert (
        verdict_of(result(WASSERSTEIN_1, 1.0, 0.1), result(STANDARD_DEVIATION, 900.0, 1.0)).name
        == "diverged"
    )


def test_samples_far_outside_are_divergence_even_where_few_samples_make_the_baseline_large() -> (
    None
):
    far = result(PRIMARY, 1600.0, 0.2), result(WORST_COLUMN, 2000.0, 0.3)
    verdict = verdict_of(*far, held_out=32, log=falling(1800, 1790, 1780, 1700, 1600, 1550))
    assert verdict.name == "diverged"
    assert "lie far outside the data" in verdict.sentence
    assert (
        verdict_of(result(PRIMARY, 3.0, 0.2), result(WORST_COLUMN, 5.0, 0.3), held_out=32).name
        != "diverged"
    )
    assert (
        verdict_of(result(PRIMARY, 3.0, 0.2), result(WORST_COLUMN, 9e9, 1e12), held_out=32).name
        != "diverged"
    )  # of extreme outliers


def test_a_primary_metric_that_was_good_and_rose_is_divergence_unless_it_ended_well() -> None:
    log = falling(1.0, 0.1, 0.2, 40.0, 3.0, 0.5)
    verdict = verdict_of(result(PRIMARY, 0.5, 0.01), log=log)
    assert verdict.name == "diverged"
    assert "was 0.1 while training, and rose to 40 after" in verdict.sentence
    assert verdict_of(result(PRIMARY, 0.01, 0.01), log=log).name == "converged"
    assert (
        verdict_of(result(PRIMARY, 0.5, 0.01), log=falling(1.0, 0.3, 0.5, 0.4, 0.6, 0.5)).name
        != "diverged"
    )


def test_a_small_value_over_a_baseline_of_0_is_not_divergence_and_nan_is() -> None:
    little = result(WASSERSTEIN_1, 1.5e-5, 0.0), result(STANDARD_DEVIATION, 1.7e-5, 0.0)
    verdict = verdict_of(*little, log=FLAT)
    assert verdict.name == "stalled"
    assert "Wasserstein-1 is 1.5e-05, where real samples get 0" in verdict.sentence
    assert (
        verdict_of(
            result(PRIMARY, 1.5e-5, 0.0), log=falling(1e-6, 1e-6, 1e-6, 1e-5, 1e-5, 1.5e-5)
        ).name
        != "diverged"
    )
    for value in (math.inf, math.nan):
        for baseline in (0.0, 0.1):
            gone = verdict_of(result(PRIMARY, value, baseline))
            assert gone.name == "diverged"
            assert "inf times" not in gone.sentence


def test_a_run_that_went_back_and_on_says_so() -> None:
    log = [{"samples_seen": 5, "seconds": 0.0, "recovered": "r1"}]
    assert verdict_of(result(PRIMARY, 0.01, 0.01), log=log).name == "recovered from trouble"
    assert (
        verdict_of(result(PRIMARY, 1.0, 0.01), log=[*FLAT, *log]).name == "recovered from trouble"
    )


def test_a_value_of_0_over_a_baseline_of_0_has_converged() -> None:
    assert (
        verdict_of(result(WASSERSTEIN_1, 0.0, 0.0), result(STANDARD_DEVIATION, 0.1, 0.0)).name
        == "converged"
    )


def test_a_run_that_stopped_early_is_diagnosed_by_what_came_before_its_best() -> None:
    log = [
        *falling(1.0, 0.9, 0.8, 0.7, 40.0, 39.0),
        {"samples_seen": 5, "seconds": 0.0, "early_stopped": 3},
    ]
    assert (
        verdict_of(
            result(PRIMARY, 0.7, 0.01), log=log, samples_seen=3, usual_samples=1000, held_out=1000
        ).name
        == "stalled"
    )


def test_the_advice_is_to_leave_out_settings_that_are_not_the_recipes_own() -> None:
    far, certain = result(PRIMARY, 1.0, 0.01), [*FLAT, *balanced_at(*[0.999] * 20)]
    assert (
        "leave gamma, width to the recipe"
        in verdict_of(far, log=certain, changed=("gamma", "width")).advice
    )
    assert verdict_of(far, log=certain, changed=("gamma",)).command == "equipoise train ring"
    assert verdict_of(far, log=certain).command == ""  # the same again would do the same again
    assert verdict_of(far, log=certain, recipe="dcgan", data="").command == ""


def test_the_advice_for_a_run_without_a_directory_is_in_python() -> None:
    verdict = verdict_of(result(PRIMARY, 1.0, 0.01), samples_seen=20, run=None)
    assert verdict.command == ""
    assert "samples=1,000" in verdict.advice


def test_nothing_far_from_its_baseline_has_converged_or_is_close() -> None:
    for recipe in ("balanced", "classic"):
        for log in ((), FLAT, falling(4, 3, 2, 1.5, 1.2, 1.0), balanced_at(0.5, 0.5)):
            assert verdict_of(result(PRIMARY, 0.11, 0.01), log=log, recipe=recipe).name not in (
                "converged",
                "close",
            )
    assert {"converged", "close", "still improving"} <= HEALTHY


def test_metrics_while_training_that_were_not_numbers_hide_no_trend() -> None:
    log = falling(math.nan, 3, 2, 1.5, math.nan, 1.0)
    sentence = verdict_of(result(PRIMARY, 1.0, 0.01), log=log).sentence
    assert sentence.startswith("This is not the end: sliced Wasserstein still falls, from 1.5 to 1")


@pytest.mark.parametrize("value", [0.0, 0.5])
def test_modes_without_any_spread_are_diagnosed_by_the_rest(
    value: float,
) -> None:
    good = (
        result(PRIMARY, 0.01, 0.01),
        result(C2ST_ACCURACY, 0.5, 0.5, 0.01),
        result(MODE_SPREAD, value, 0.0),
    )
    assert verdict_of(*good).name == ("converged" if value == 0 else "close")


def test_a_single_label_is_not_diagnosed() -> None:
    assert (
        verdict_of(
            result(PRIMARY, 0.01, 0.01),
            result(LABEL_ACCURACY, 1.0, 1.0),
            class_frequencies=(1.0, 0.0),
        ).name
        != "labels ignored"
    )


def test_a_run_of_a_few_steps_has_no_cause_named() -> None:
    """Curves of eight steps: D has seen nothing yet, and no setting is to blame."""
    far, wrong = result(PRIMARY, 1.0, 0.01), [*FLAT, *balanced_at(*[0.2] * 20)]
    few = verdict_of(
        far,
        result(C2ST_ACCURACY, 0.99, 0.5, 0.01),
        log=wrong,
        samples_seen=64,
        usual_samples=512_000,
    )
    assert few.name == "still improving"
    assert (
        verdict_of(far, result(C2ST_ACCURACY, 0.99, 0.5, 0.01), log=wrong).name == "generator won"
    )


def test_with_early_stopping_twice_the_rows_are_needed() -> None:
    unknown = result(PRIMARY, 0.005, 0.005), result(C2ST_ACCURACY, 0.5, 0.5, 0.07)
    assert (
        "at least 20,000 rows: a twentieth"
        in verdict_of(*unknown, held_out=30, has_validation=True).advice
    )


def test_low_recall_is_named_where_there_are_samples_enough() -> None:
    near = (
        result(PRIMARY, 0.01, 0.005),
        result(C2ST_ACCURACY, 0.55, 0.5, 0.01),
        result(RECALL, 0.85, 0.97),
    )
    assert (
        "85% of the real samples lie among them, 97% among as many real ones"
        in verdict_of(*near).sentence
    )
    assert verdict_of(*near).name == "close"
    few = verdict_of(result(PRIMARY, 0.01, 0.005), *SURE[1:], near[2], held_out=300)
    assert "lie among them" not in few.sentence  # that can be chance
    assert (few.name, few.sure) == ("converged", "likely")


@pytest.mark.parametrize("metrics", [(result(MEAN_PAIRWISE_DISTANCE, 0.01, 1.0),), ()])
def test_the_advice_for_few_rows_is_more_of_them(
    metrics: tuple[MetricResult, ...],
) -> None:
    verdict = verdict_of(result(PRIMARY, 1.0, 0.01), *metrics, held_out=30, log=FLAT)
    assert verdict.name in ("mode collapse", "stalled")
    assert (
        verdict.advice
        == "Next: use more data, at least 10,000 rows: a tenth is held out for testing."
    )
    assert not verdict.command
    assert (
        "train longer"
        in verdict_of(
            result(PRIMARY, 1.0, 0.01),
            held_out=30,
            log=falling(9, 7, 5, 3, 2, 1),
            samples_seen=100,
        ).advice
    )


@pytest.mark.parametrize("value", [0.03, 1.0, 1e9])
def test_the_advice_for_data_with_extreme_outliers_is_to_correct_them(value: float) -> None:
    verdict = verdict_of(result(PRIMARY, value, 0.005), log=FLAT, outliers=True)
    assert "correct or remove the extreme outliers" in verdict.advice
    assert "outliers" not in verdict_of(result(PRIMARY, 0.005, 0.005), outliers=True).advice

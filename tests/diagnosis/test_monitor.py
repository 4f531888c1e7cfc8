"""The monitor warns of each fault once, and says when training can stop early."""

from __future__ import annotations

from equipoise.diagnosis import Monitor

BASELINES = {"sliced_wasserstein": 0.01, "modes_covered/8": 8.0}


def metrics(distance: float, modes: float = 8) -> dict[str, float]:
    return {"sliced_wasserstein": distance, "modes_covered/8": modes}


def test_a_collapse_is_reported_once_and_not_before_a_third_of_the_training() -> None:
    monitor = Monitor(lambda: BASELINES)
    for progress in (0.05, 0.1, 0.15, 0.2):
        assert monitor.at_metrics(metrics(1.0, 2), progress) == ""
    assert (
        monitor.at_metrics(metrics(0.9, 3), 0.4)
        == "part of the data is missing from the samples so far: 3 of 8 modes are covered"
    )
    assert monitor.at_metrics(metrics(0.9, 3), 0.5) == ""
    assert (
        monitor.at_metrics(metrics(0.8, 8), 0.6)
        == "the samples no longer miss any part of the data"
    )
    assert monitor.at_metrics(metrics(0.8, 8), 0.7) == ""


def test_a_collapse_that_was_too_early_to_report_is_reported_once_the_training_is_resumed() -> None:
    log = [{"samples_seen": seen, "metrics": metrics(1.0, 2)} for seen in (5, 10, 15, 20)]
    log.insert(0, {"samples_seen": 5, "baselines": BASELINES})
    monitor = Monitor(lambda: BASELINES)
    monitor.replay(log, 100)
    assert "part of the data is missing" in monitor.at_metrics(metrics(0.9, 3), 0.4)
    told = Monitor(lambda: BASELINES)
    told.replay([*log, {"samples_seen": 40, "metrics": metrics(0.9, 3)}], 100)
    assert told.faults == {"missing"}
    assert told.at_metrics(metrics(0.9, 3), 0.5) == ""


def test_missing_digits_are_named() -> None:
    monitor = Monitor(
        lambda: {
            "digit_frechet_distance": 0.02,
            **{f"digit_frequency/{digit}": 0.1 for digit in range(10)},
        }
    )
    now = {
        "digit_frechet_distance": 5.0,
        **{f"digit_frequency/{digit}": 0.0 if digit == 4 else 0.11 for digit in range(10)},
    }
    sentences = [monitor.at_metrics(now, 0.5) for _ in range(5)]
    assert sentences == [
        "",
        "",
        "",
        "part of the data is missing from the samples so far: hardly any 4 among the digits",
        "",
    ]


def test_a_rise_of_the_primary_metric_is_reported() -> None:
    monitor = Monitor(lambda: BASELINES)
    assert monitor.at_metrics(metrics(0.1), 0.1) == ""
    assert "falling apart" in monitor.at_metrics(metrics(0.6), 0.2)


def test_a_d_that_is_right_for_a_while_is_reported_once() -> None:
    monitor = Monitor(lambda: BASELINES)
    sentences = [monitor.at_report({"balance": 0.999}) for _ in range(30)]
    assert [i for i, text in enumerate(sentences) if text] == [9]
    assert Monitor(lambda: BASELINES).at_report({"generator_loss": 1.0}) == ""


def test_a_d_that_is_far_ahead_is_reported_when_it_begins_and_when_it_is_over() -> None:
    """As on colour photographs: .90 to .99 for ten minutes, and the distance leapt
    threefold."""
    monitor = Monitor(lambda: BASELINES)
    sentences = [monitor.at_report({"balance": 0.9 + 0.003 * (i % 30)}) for i in range(30)]
    assert [i for i, text in enumerate(sentences) if text] == [9]
    assert "the discriminator is far ahead: it has been right about 91" in sentences[9]
    assert monitor.at_metrics(metrics(0.59), 0.3) == ""
    assert "falling apart" in monitor.at_metrics(metrics(1.77), 0.4)
    sentences = [monitor.at_report({"balance": 0.6}) for _ in range(10)]
    assert [text for text in sentences if text] == ["the discriminator is no longer far ahead"]


def test_a_d_that_is_a_little_ahead_or_ahead_for_a_moment_is_not_reported() -> None:
    monitor = Monitor(lambda: BASELINES)
    assert not any(
        monitor.at_report({"balance": value}) for value in [*[0.99] * 4, *[0.7] * 40, *[0.99] * 4]
    )


def test_it_stops_early_at_the_baseline_or_after_five_evaluations_without_a_gain() -> None:
    monitor = Monitor(lambda: BASELINES)
    for distance in (0.5, 0.3, 0.2):
        monitor.at_metrics(metrics(distance), 0.1)
    assert not monitor.early_stopped
    for _ in range(5):
        monitor.at_metrics(metrics(0.2), 0.5)
    assert monitor.early_stopped
    at_baseline = Monitor(lambda: BASELINES)
    at_baseline.at_metrics(metrics(0.009), 0.2)
    assert at_baseline.early_stopped


def test_with_a_new_length_patience_begins_anew_at_the_baseline_too() -> None:
    for distance, case in ((0.2, "never at its baseline"), (0.009, "at its baseline")):
        watch = Monitor(lambda: BASELINES)
        for _ in range(6):
            watch.at_metrics(metrics(distance), 0.5)
        assert watch.early_stopped, case
        watch.begin_anew()
        for _ in range(4):
            watch.at_metrics(metrics(0.3), 0.5)
            assert not watch.early_stopped, case
        watch.at_metrics(metrics(0.3), 0.5)
        assert watch.early_stopped, case


def test_a_baseline_that_is_reached_after_a_new_length_ends_a_training() -> None:
    watch = Monitor(lambda: BASELINES)
    watch.at_metrics(metrics(0.2), 0.5)
    watch.begin_anew()
    watch.at_metrics(metrics(0.009), 0.5)
    assert watch.early_stopped


def test_a_d_that_good_trainings_leave_ahead_is_no_fault() -> None:
    monitor = Monitor(lambda: BASELINES, ends_level=False)
    assert {monitor.at_report({"balance": 0.999}) for _ in range(30)} == {""}


def test_faults_are_those_that_are_not_over() -> None:
    monitor = Monitor(lambda: BASELINES)
    assert monitor.faults == frozenset()
    monitor.at_metrics(metrics(0.1), 0.1)
    monitor.at_metrics(metrics(0.6), 0.2)
    for _ in range(10):
        monitor.at_report({"balance": 0.95})
    assert monitor.faults == {"worse", "ahead"}
    monitor.at_metrics(metrics(0.1), 0.3)
    assert monitor.faults == {"ahead"}

"""Where a race is won."""

from __future__ import annotations

from benchmarks.likeness import LineQuality

from benchmarks import race


def test_a_race_is_won_where_the_figure_stays_as_good_as_asked() -> None:
    lucky = [(1.0, 0.1), (2.0, 0.5)]
    good = [(3.0 + i, 0.2) for i in range(race.HOLD)]
    assert race.reached([*lucky, *good], 0.3) == (3.0, 0.2)
    assert race.reached([*lucky, *good], 0.5) == (1.0, 0.1)
    assert race.reached([*lucky, *good[1:]], 0.3) == (float("inf"), 0.2)


def test_balanced_races_until_it_has_been_good_enough_for_long_enough() -> None:
    course = race.Course(
        "", "gaussian", LineQuality(1_000), lambda _: iter(()), steps=1, threads=1, seeds=range(1)
    )
    found = race.balanced_race(course, seed=0, until=float("inf"))
    assert len(found) == race.HOLD
    assert [seconds for seconds, _ in found] == sorted(seconds for seconds, _ in found)
    assert all(value > course.metric.baseline for _, value in found)

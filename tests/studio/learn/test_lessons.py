"""The twelve lessons: none is reached before it begins, and each can be."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from equipoise.studio.app import STATIC
from equipoise.studio.learn.controls import CONTROLS
from equipoise.studio.learn.findings import Finding
from equipoise.studio.learn.lab import Lab
from equipoise.studio.learn.lessons import LESSONS, Condition

EVERY = 10  # steps between two measurements, as on the page
NAMES = [lesson.name for lesson in LESSONS]
QUICK = ("two-players", "turns", "best-discriminator")


def play(lab: Lab, most: int) -> None:
    """Train until the goal is reached, or for so many steps."""
    for _ in range(most // EVERY):
        lab.train(EVERY)
        lab.measure()
        if lab.is_met:
            return


def by_hand(lab: Lab) -> None:
    lab.step("D", 10)
    assert not lab.is_met
    lab.step("G", 10)


def after(change: Callable[[Lab], None], steps: int) -> Callable[[Lab], None]:
    """Play on without reaching the goal, change a setting, and play until it is."""

    def solve(lab: Lab) -> None:
        play(lab, 50)
        assert not lab.is_met
        change(lab)
        play(lab, steps)

    return solve


def loss_before_playing(lab: Lab) -> None:
    before = lab.readings["pull"]
    lab.set_field("generator_loss", "non-saturating")
    assert lab.readings["pull"] > 10 * before


def slow_d(lab: Lab) -> None:
    lab.set_field("discriminator_rate", 0.1)
    play(lab, 700)


SOLUTIONS: dict[str, Callable[[Lab], None]] = {
    "two-players": lambda lab: play(lab, 400),
    "turns": by_hand,
    "best-discriminator": lambda lab: play(lab, 300),
    "one-half": lambda lab: play(lab, 400),
    "weak-gradient": loss_before_playing,
    "circles": after(lambda lab: lab.set_field("gamma", 0.0), 800),
    "why-r1": after(lambda lab: lab.set_field("gamma", 1.0), 800),
    "ema": after(lambda lab: lab.set_field("ema_half_life", 50_000), 800),
    "collapse": slow_d,
    "pairs": after(lambda lab: lab.set_recipe("balanced"), 800),
    "right-moments": lambda lab: play(lab, 400),
    "clipping": after(lambda lab: lab.set_recipe("wgan-gp"), 500),
}


def solve(name: str) -> None:
    lab = Lab()
    lab.start(name)
    assert lab.lesson is not None
    assert not lab.is_met
    assert not all(lab.conditions)
    SOLUTIONS[name](lab)
    assert lab.is_met, (lab.conditions, lab.readings)


@pytest.mark.parametrize("name", QUICK)
def test_a_lesson_is_not_reached_at_its_start_and_can_be(name: str) -> None:
    solve(name)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in NAMES if name not in QUICK])
def test_each_longer_lesson_is_not_reached_at_its_start_and_can_be(name: str) -> None:
    solve(name)


@pytest.mark.slow
def test_the_classic_game_does_not_collapse_by_itself() -> None:
    lab = Lab()
    lab.start("collapse")
    play(lab, 700)
    assert not lab.is_met


def test_there_are_twelve_and_their_goals_are_on_readings_that_there_are() -> None:
    assert len(LESSONS) == len(set(NAMES)) == len(SOLUTIONS) == 12
    readings = Lab().readings
    for lesson in LESSONS:
        for condition in lesson.goal:
            assert condition.reading in readings


def test_a_condition_holds_within_its_limits_alone() -> None:
    between = Condition("ratio", at_least=1, at_most=3)
    assert [between.holds({"ratio": value}) for value in (0.9, 1, 3, 3.1, None)] == [
        False,
        True,
        True,
        False,
        False,
    ]
    assert Condition("recipe", equals="wgan").holds({"recipe": "wgan"})
    assert not Condition("recipe", equals="wgan").holds({"recipe": "balanced"})


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_lesson_setting_and_finding_has_its_words(language: str) -> None:
    text = (STATIC / "i18n" / language / "learn.js").read_text()
    keys = set(re.findall(r'^  "([\w.-]+)":', text, re.MULTILINE))
    for lesson in LESSONS:
        parts = ["title", "text", "do", "hint", "why"]
        parts += [f"goal{number + 1}" for number in range(len(lesson.goal))]
        assert {f"learn.lesson.{lesson.name}.{part}" for part in parts} <= keys
    for control in CONTROLS:
        assert {f"learn.field.{control.field}", f"learn.help.{control.field}"} <= keys
        assert {f"learn.value.{stop}" for stop in control.stops if isinstance(stop, str)} <= keys
    source = (STATIC.parent / "learn" / "findings.py").read_text()
    names = set(re.findall(rf'{Finding.__name__}\(\s*"([\w-]+)"', source)) | {"only-d", "only-g"}
    names |= {"learning", "close"}
    assert len(names) > 12
    assert {f"learn.finding.{name}" for name in names} <= keys

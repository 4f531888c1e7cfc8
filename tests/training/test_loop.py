"""The clock, the events and how a loop is stopped."""

from __future__ import annotations

import itertools

import pytest
from tests.helpers import state_of

from equipoise.recipes.balanced import Balanced
from equipoise.training import loop
from equipoise.training.events import Control, Event, Finished, ImageDue, Report, SaveDue
from equipoise.training.loop import Clock, train
from equipoise.training.state import State

RECIPE = Balanced(batch_size=16, width=8)


def events_of(
    state: State, samples: int | None, minutes: float | None = None, control: Control | None = None
) -> list[Event]:
    return list(train(state, Clock(state, samples, minutes), control or Control()))


def test_a_run_ends_at_the_samples_asked_for_with_a_report_and_a_save() -> None:
    state = state_of(RECIPE)
    events = events_of(state, 16 * 50)
    assert state.samples_seen == 16 * 50
    assert events[-1] == Finished("done")
    assert isinstance(events[-2], SaveDue)
    assert max(e.samples_seen for e in events if isinstance(e, Report)) == 16 * 50


def test_the_first_save_comes_within_a_tenth_and_images_from_the_start() -> None:
    state = state_of(RECIPE)
    seen = []
    for event in train(state, Clock(state, 16 * 200, None), Control()):
        seen.append((type(event), state.samples_seen))
    assert seen[0] == (ImageDue, 0)
    assert min(n for kind, n in seen if kind is SaveDue) <= 16 * 20
    assert [n for kind, n in seen if kind is ImageDue] == [0, 16 * 200]


@pytest.mark.usefixtures("ticking")
def test_minutes_set_the_horizon_and_end_the_run_in_time() -> None:
    state = state_of(RECIPE)
    events_of(state, None, minutes=1 / 60)
    assert state.horizon is not None
    assert state.samples_seen >= state.horizon or state.seconds >= 1.0
    assert 0.8 <= state.seconds <= 1.1


@pytest.fixture
def ticking(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock that goes on by 2 ms whenever it is read, however busy the machine is."""
    moments = itertools.count()
    monkeypatch.setattr(loop.time, "monotonic", lambda: 0.002 * next(moments))


def test_minutes_too_few_for_one_step_give_one_step_and_a_save() -> None:
    state = state_of(RECIPE)
    events = events_of(state, None, minutes=1e-9)
    assert state.samples_seen == 16
    assert [type(event) for event in events] == [ImageDue, Report, SaveDue, Finished]


class Machine:
    """A clock that stands still but for what a run takes at this rate, in samples a
    second."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        monkeypatch.setattr(loop.time, "monotonic", lambda: self.now)

    def train(self, state: State, clock: Clock, rate: float, until: float) -> float:
        """Steps of 16 samples until this second, or the run's end; the share done."""
        share = clock.tick()
        while share < 1 and self.now < until:
            state.samples_seen += 16
            self.now += 16 / rate
            share = clock.tick()
        return share


@pytest.mark.parametrize("rate", [200.0, 1000.0, 30_000.0])
def test_a_machine_that_was_busy_while_it_was_measured_does_not_shorten_the_run(
    rate: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    state, machine = state_of(RECIPE), Machine(monkeypatch)
    clock = Clock(state, None, 10)
    machine.train(state, clock, 100.0, until=20)
    assert state.horizon == pytest.approx(600 * 100, rel=0.03)
    assert machine.train(state, clock, rate, until=1000) == 1
    assert 0.9 * 600 < machine.now <= 601
    assert state.samples_seen == pytest.approx(580 * rate + 2000, rel=0.1)


def test_a_machine_that_becomes_slow_lets_the_schedule_come_to_its_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    state, machine = state_of(RECIPE), Machine(monkeypatch)
    clock = Clock(state, None, 10)
    machine.train(state, clock, 1000.0, until=200)
    assert machine.train(state, clock, 300.0, until=590) > 0.95
    assert machine.train(state, clock, 300.0, until=1000) == 1
    assert machine.now <= 601


def test_a_horizon_within_tolerance_is_unchanged_and_restored_on_resume(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    state, machine = state_of(RECIPE), Machine(monkeypatch)
    clock = Clock(state, None, 10)
    machine.train(state, clock, 100.0, until=20)
    horizon = state.horizon
    machine.train(state, clock, 106.0, until=300)
    machine.train(state, Clock(state, None, 10), 95.0, until=560)
    assert state.horizon == horizon


@pytest.mark.usefixtures("ticking")
def test_a_resumed_run_with_other_minutes_measures_its_horizon_anew() -> None:
    state = state_of(RECIPE)
    events_of(state, None, minutes=1 / 120)
    first, seen = state.horizon, state.samples_seen
    assert first is not None
    Clock(state, None, 1 / 120)
    assert state.horizon == first  # the same length keeps it
    Clock(state, None, 1 / 60)
    assert state.horizon is None  # another one forgets it, whatever the machine's speed was
    events_of(state, None, minutes=1 / 60)
    assert state.horizon is not None
    assert state.samples_seen > seen


def test_a_stop_takes_effect_after_the_current_step_and_is_saved() -> None:
    state, control = state_of(RECIPE), Control()
    events = []
    for event in train(state, Clock(state, 16 * 1000, None), control):
        events.append(event)
        if isinstance(event, Report):
            control.stop("SIGINT")
    assert events[-1] == Finished("SIGINT")
    assert isinstance(events[-2], SaveDue)
    assert isinstance(events[-3], Report)
    assert state.samples_seen < 16 * 1000


def test_a_finished_run_trains_no_further() -> None:
    state = state_of(RECIPE)
    events_of(state, 16 * 10)
    assert events_of(state, 16 * 10) == [Finished("done")]

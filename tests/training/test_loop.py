"""The clock, the events and how a loop is stopped."""

from __future__ import annotations

import math

import pytest
import torch
from tests.training.test_step import state_of

from equipoise.recipes.balanced import Balanced
from equipoise.training import loop
from equipoise.training.loop import Clock, Control, Finished, PictureDue, Report, SaveDue, discriminator_outputs, train
from equipoise.training.state import State

RECIPE = Balanced(batch_size=16, width=8)


def events_of(state: State, samples: int | None, minutes: float | None = None, control: Control | None = None) -> list[loop.Event]:
    return list(train(state.method, state, Clock(state, samples, minutes), control or Control()))


def test_a_run_ends_at_the_samples_asked_for_with_a_report_and_a_save() -> None:
    state = state_of(RECIPE)
    events = events_of(state, 16 * 50)
    assert state.samples_seen == 16 * 50
    assert events[-1] == Finished("done")
    assert isinstance(events[-2], SaveDue)
    assert max(e.samples_seen for e in events if isinstance(e, Report)) == 16 * 50


def test_the_first_save_comes_within_a_tenth_and_pictures_from_the_start() -> None:
    state = state_of(RECIPE)
    seen = []
    for event in train(state.method, state, Clock(state, 16 * 200, None), Control()):
        seen.append((type(event), state.samples_seen))
    assert seen[0] == (PictureDue, 0)
    assert min(n for kind, n in seen if kind is SaveDue) <= 16 * 20
    assert [n for kind, n in seen if kind is PictureDue] == [0, 16 * 200]


def test_minutes_fix_the_horizon_once_and_end_the_run_in_time() -> None:
    state = state_of(RECIPE)
    horizons = set()
    for _ in train(state.method, state, Clock(state, None, 1 / 60), Control()):
        horizons.add(state.horizon)
    assert len(horizons - {None}) == 1
    assert state.samples_seen >= max(horizons - {None}) or state.seconds >= 1.0
    assert 0.2 <= state.seconds <= 1.5


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


def test_a_stop_is_heeded_after_the_step_under_way_and_saved() -> None:
    state, control = state_of(RECIPE), Control()
    events = []
    for event in train(state.method, state, Clock(state, 16 * 1000, None), control):
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


def test_probabilities_are_read_as_the_means_of_sigma() -> None:
    read = discriminator_outputs(torch.tensor([math.log(3.0)]), torch.tensor([-math.log(4.0)]), "probability")
    assert read["real_output"] == pytest.approx(3 / 4)
    assert read["fake_output"] == pytest.approx(1 / 5)
    assert read["balance"] == pytest.approx((3 / 4 + 4 / 5) / 2)


def test_relativistic_outputs_do_not_depend_on_the_logits_mean() -> None:
    real, fake = torch.tensor([1.0, 2.0]), torch.tensor([0.0, -1.0])
    read = discriminator_outputs(real + 100, fake + 100, "relativistic")
    assert read["real_output"] == pytest.approx(1.0)
    assert read["fake_output"] == pytest.approx(-1.0)
    assert read["balance"] == pytest.approx((1 / (1 + math.exp(-1)) + 1 / (1 + math.exp(-3))) / 2)


def test_equal_outputs_are_balanced_at_one_half() -> None:
    for meaning in ("probability", "relativistic"):
        assert discriminator_outputs(torch.zeros(4), torch.zeros(4), meaning)["balance"] == pytest.approx(0.5)  # type: ignore[arg-type]

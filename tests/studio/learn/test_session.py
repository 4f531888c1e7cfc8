"""The session: pages ask, the thread trains, and who watches sees frames."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator
from typing import Any

import pytest

from equipoise.errors import RequestError
from equipoise.studio.channels import Channels, Subscriber
from equipoise.studio.learn.lab import Lab
from equipoise.studio.learn.session import CHANNEL, Session, pause_after


class Watched(Channels):
    """Channels with a page that shows all of them."""

    def __init__(self) -> None:
        super().__init__()
        self.shown: deque[dict[str, Any]] = deque(maxlen=3)
        self.is_watched = True

    def watched(self, channel: str) -> bool:
        return self.is_watched

    def publish(self, channel: str, value: Any) -> None:
        assert channel == CHANNEL
        self.shown.append(value)


@pytest.fixture
def channels() -> Watched:
    return Watched()


@pytest.fixture
def session(channels: Watched) -> Iterator[Session]:
    made = Session(channels)
    yield made
    made.close()


def play_until(session: Session, steps: int) -> dict[str, Any]:
    """Ask until so many steps have been made."""
    session.ask({"do": "play"})
    while True:
        frame: dict[str, Any] = session.ask({"do": "look"})["frame"]
        if frame["readings"]["steps"] >= steps:
            return frame


def test_it_plays_shows_frames_and_pauses(session: Session, channels: Watched) -> None:
    session.ask({"do": "speed", "speed": 0})
    play_until(session, 20)
    paused = session.ask({"do": "pause"})["frame"]
    assert not paused["playing"]
    assert channels.shown[-1]["readings"]["steps"] == paused["readings"]["steps"]
    assert session.ask({"do": "look"})["frame"]["readings"]["steps"] == paused["readings"]["steps"]


def test_a_step_by_hand_is_a_step_of_that_player(session: Session) -> None:
    readings = session.ask({"do": "step", "player": "D", "steps": 3})["frame"]["readings"]
    assert (readings["steps"], readings["by_hand_d"], readings["by_hand_g"]) == (3, 3, 0)
    assert readings["generator_loss"] is None


def test_a_setting_takes_effect_while_it_plays(session: Session) -> None:
    session.ask({"do": "speed", "speed": 0})
    play_until(session, 5)
    answer = session.ask({"do": "set", "field": "gamma", "value": 1.0})
    assert answer["frame"]["playing"]
    assert answer["frame"]["readings"]["gamma"] == 1.0
    assert answer["frame"]["note"] is None
    assert {"field": "gamma", "value": 1.0}.items() <= next(
        control for control in answer["controls"] if control["field"] == "gamma"
    ).items()


def test_what_begins_anew_waits_to_be_played(session: Session) -> None:
    for command in (
        {"do": "choose", "distribution": "ring"},
        {"do": "draw", "heights": [0, 1, 2, 0], "low": -4, "high": 4},
        {"do": "draw", "x": list(range(10)), "y": [0, 1] * 5},
        {"do": "reset"},
        {"do": "lesson", "lesson": "turns"},
        {"do": "lesson", "lesson": None},
    ):
        session.ask({"do": "play"})
        answer = session.ask(command)
        assert not answer["frame"]["playing"], command
        assert answer["frame"]["readings"]["steps"] == 0
        assert answer["frame"]["build"] == answer["whole"]["build"]


def test_frames_are_shown_only_to_who_watches(session: Session, channels: Watched) -> None:
    session.ask({"do": "speed", "speed": 0})
    channels.is_watched = False
    session.ask({"do": "play"})
    channels.shown.clear()
    session.ask({"do": "look"})
    assert not channels.shown
    channels.is_watched = True
    session.ask({"do": "look"})
    assert channels.shown


def test_a_training_that_nobody_watches_pauses(
    session: Session, channels: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("equipoise.studio.learn.session.PATIENCE", 0.0)
    channels.is_watched = False
    session.ask({"do": "play"})
    while session.ask({"do": "look"})["frame"]["playing"]:
        pass
    channels.is_watched = True
    session.ask({"do": "play"})
    assert session.ask({"do": "look"})["frame"]["playing"]


def test_a_bug_pauses_the_training_and_the_session_goes_on(
    session: Session, channels: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Lab, "train", lambda *_: 1 / 0)
    session.ask({"do": "play"})
    while session.ask({"do": "look"})["frame"]["playing"]:
        pass
    assert any(frame["failed"] for frame in channels.shown)
    assert session.ask({"do": "step"})["frame"]["readings"]["steps"] == 1


@pytest.mark.parametrize("seconds", [0.0, 1e-3, 8e-3, 0.05, 2.0])
def test_frames_take_a_tenth_of_the_time_at_most(seconds: float) -> None:
    assert seconds / (seconds + pause_after(seconds)) <= 0.1
    if seconds <= 8e-3:
        assert seconds + pause_after(seconds) == pytest.approx(0.1)


def test_every_tab_gets_the_same_frames() -> None:
    async def check() -> None:
        channels = Channels()
        session = Session(channels)
        tabs = [Subscriber() for _ in range(2)]
        for tab in tabs:
            channels.subscribe(CHANNEL, tab)
        await asyncio.to_thread(session.ask, {"do": "step"})
        one, other = [await asyncio.wait_for(tab.take(), 60) for tab in tabs]
        assert one == other
        assert one[0].value["readings"]["steps"] == 1
        await asyncio.to_thread(session.close)

    asyncio.run(check())


@pytest.mark.parametrize(
    ("command", "wrong"),
    [
        ({}, "do = None"),
        ({"do": "dance"}, "do = 'dance'"),
        ({"do": ["play"]}, "do ="),
        ({"do": "step", "steps": 0}, "steps = 0"),
        ({"do": "step", "steps": 10**9}, "steps ="),
        ({"do": "step", "player": "E"}, "player"),
        ({"do": "speed", "speed": 7}, "speed = 7"),
        ({"do": "players"}, "players = None"),
        ({"do": "set", "field": "gama", "value": 1}, "did you mean 'gamma'"),
        ({"do": "set", "field": "learning_rate", "value": "fast"}, "learning_rate"),
        ({"do": "recipe", "recipe": 3}, "recipe"),
        ({"do": "choose"}, "distribution"),
        ({"do": "draw"}, "x, y: missing"),
        ({"do": "draw", "heights": [1, 2]}, "low, high: missing"),
        ({"do": "draw", "heights": [float("nan")] * 4, "low": 0, "high": 1}, "finite"),
        ({"do": "lesson", "lesson": {}}, "lesson"),
        ({"do": "reset", "seed": -1}, "seed"),
    ],
)
def test_nonsense_is_refused_in_a_line_and_the_session_goes_on(
    session: Session, command: dict[str, Any], wrong: str
) -> None:
    with pytest.raises(RequestError, match=wrong) as raised:
        session.ask(command)
    assert "\n" not in str(raised.value)
    assert session.ask({"do": "step"})["frame"]["readings"]["steps"] == 1

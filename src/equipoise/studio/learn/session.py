"""The session: one lab for all tabs, in a thread of its own that trains, does what
pages ask for, and shows frames to who watches.

Being watched may cost a tenth of the training's speed at most: there are ten frames a
second, and fewer where a frame takes longer than that allows.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import fields
from typing import Any

from equipoise.coerce import checked
from equipoise.data.distributions import Distribution
from equipoise.errors import RequestError, nearest
from equipoise.studio.channels import FRAMES_A_SECOND, Channels
from equipoise.studio.learn.distributions import DrawnDensity, DrawnPoints
from equipoise.studio.learn.lab import Lab
from equipoise.studio.learn.simulation import Player

log = logging.getLogger(__name__)

CHANNEL = "learn"
SPEEDS = (1, 5, 20, 60, 200, 0)
"""Steps a second; 0 for as many as the machine can."""
DEFAULT_SPEED = 60
WATCHING_SHARE = 0.09  # of the time that frames may take
UNWATCHED_INTERVAL = 0.5  # seconds between measurements that nobody sees
# Seconds without a page after which a training is paused, so that a closed tab does not
# keep a processor busy.
PATIENCE = 30.0
MAX_STEPS = 1_000  # by hand, at once
ANSWER_SECONDS = 300.0


def pause_after(seconds: float) -> float:
    """The seconds of training that follow a frame which took so many."""
    return max(1 / FRAMES_A_SECOND - seconds, seconds * (1 / WATCHING_SHARE - 1))


class Session:
    """The lab and its thread, which begins with the first question.

    Args:
        channels: Where frames are shown.
    """

    def __init__(self, channels: Channels) -> None:
        self.channels = channels
        self.lab: Lab
        self.is_playing, self.speed = False, DEFAULT_SPEED
        self.frames = 0
        self._asked: queue.Queue[tuple[Mapping[str, Any], Future[dict[str, Any]]] | None] = (
            queue.Queue()
        )
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._rate = 0.0

    # ---- for other threads

    def ask(self, command: Mapping[str, Any]) -> dict[str, Any]:
        """Do what a page asks for, between two steps.

        Args:
            command: What to do, under "do", and its arguments.

        Returns:
            What has come of it, see `_answer`.

        Raises:
            RequestError: It makes no sense.
        """
        self._begin()
        answer: Future[dict[str, Any]] = Future()
        self._asked.put((command, answer))
        return answer.result(ANSWER_SECONDS)

    def close(self) -> None:
        """End the thread."""
        with self._lock:
            if self._thread is not None:
                self._asked.put(None)
                self._thread.join()
                self._thread = None

    def _begin(self) -> None:
        with self._lock:
            if self._thread is None:
                self.lab = Lab()
                self._thread = threading.Thread(target=self._run, name="learn", daemon=True)
                self._thread.start()

    # ---- in the thread

    def _run(self) -> None:
        self._looked = self._seen = self._counted = self._next_step = time.monotonic()
        self._cost = 0.0  # seconds of the last frame
        self._counted_steps = 0
        while self._answer_all():
            if self.is_playing:
                try:
                    self._play()
                except Exception:  # a bug: the page says so, and can go on
                    log.exception("the training on the page failed")
                    self.is_playing = False
                    self._show(failed=True)

    def _answer_all(self) -> bool:
        """Do all that is asked for; wait for something where there is nothing to do.
        False at the end."""
        while True:
            try:
                asked = self._asked.get(block=not self.is_playing)
            except queue.Empty:
                return True
            if asked is None:
                return False
            command, answer = asked
            try:
                done = self._answer(command)
            except Exception as error:
                answer.set_exception(error)
            else:
                answer.set_result(done)
                self._show()

    def _play(self) -> None:
        """A step, when it is due, and a frame, when that is."""
        now = time.monotonic()
        wait = self._next_step - now
        if wait <= 0:
            self.lab.train()
            interval = 1 / self.speed if self.speed else 0.0
            planned = self._next_step + interval
            # Steps that could not be made in time are not made up for.
            self._next_step = planned if planned > now else now + interval
        is_watched = self.channels.watched(CHANNEL)
        due = self._looked + (pause_after(self._cost) if is_watched else UNWATCHED_INTERVAL)
        now = time.monotonic()
        if is_watched:
            self._seen = now
        elif now - self._seen > PATIENCE:
            self.is_playing = False
        if now >= due:
            self.lab.measure()
            self.is_playing = self.is_playing and not self.lab.is_exhausted
            self._show()
            self._looked = time.monotonic()
            self._cost = self._looked - now
        elif wait > 0:
            self._wait(min(wait, due - now))

    def _wait(self, seconds: float) -> None:
        """Sleep, unless something is asked for meanwhile."""
        try:
            asked = self._asked.get(timeout=max(seconds, 0.0))
        except queue.Empty:
            return
        self._asked.put(asked)

    def _show(self, *, failed: bool = False) -> None:
        """Publish a frame."""
        now = time.monotonic()
        steps = self.lab.simulation.steps
        if now - self._counted >= 1:
            self._rate = max(steps - self._counted_steps, 0) / (now - self._counted)
            self._counted, self._counted_steps = now, steps
        self.frames += 1
        if self.channels.watched(CHANNEL) or not self.is_playing:
            self.channels.publish(CHANNEL, self.frame() | {"failed": failed})

    def frame(self) -> dict[str, Any]:
        """All that changes, for the page."""
        return {
            "frame": self.frames,
            "playing": self.is_playing,
            "speed": self.speed,
            "rate": self._rate if self.is_playing else 0.0,
            "steps": self.lab.simulation.steps,
            **self.lab.state(),
            **self.lab.picture(),
        }

    # ---- commands

    def _answer(self, command: Mapping[str, Any]) -> dict[str, Any]:
        name = command.get("do")
        if not isinstance(name, str) or name not in COMMANDS:
            raise RequestError(f"do = {name!r}: {nearest(str(name), COMMANDS)}")
        self._do(name, command)
        return {
            "frame": self.frame(),
            "controls": self.lab.controls(),
            "whole": self.lab.whole(),
        }

    def _do(self, name: str, command: Mapping[str, Any]) -> None:
        match name:
            case "play" | "pause":
                self._set_playing(name == "play")
            case "step":
                self._step(command)
            case "speed":
                self._set_speed(command)
            case "players":
                self.lab.set_players(checked("players", command.get("players"), Player))
            case "set":
                self.lab.set_field(_text(command, "field"), command.get("value"))
            case "recipe":
                self.lab.set_recipe(_text(command, "recipe"))
        if name in BEGINNINGS:
            self._begin_anew(name, command)
            self.is_playing = False

    def _begin_anew(self, name: str, command: Mapping[str, Any]) -> None:
        lab = self.lab
        match name:
            case "choose":
                lab.choose(_text(command, "distribution"))
            case "draw":
                lab.draw(_drawn(command))
            case "reset":
                lab.reset(command.get("seed"))
            case "lesson":
                lab.start(None if command.get("lesson") is None else _text(command, "lesson"))
                self.speed = DEFAULT_SPEED if lab.lesson is None else lab.lesson.speed

    def _set_playing(self, playing: bool) -> None:
        self.is_playing = playing
        self._seen = self._next_step = time.monotonic()
        if not playing:
            self.lab.measure()

    def _step(self, command: Mapping[str, Any]) -> None:
        steps = checked("steps", command.get("steps", 1), int)
        if not 1 <= steps <= MAX_STEPS:
            raise RequestError(f"steps = {steps}: must be from 1 to {MAX_STEPS}")
        self.lab.step(checked("player", command.get("player", "both"), Player), steps)

    def _set_speed(self, command: Mapping[str, Any]) -> None:
        speed = checked("speed", command.get("speed"), int)
        if speed not in SPEEDS:
            raise RequestError(f"speed = {speed}: must be one of {', '.join(map(str, SPEEDS))}")
        self.speed, self._next_step = speed, time.monotonic()


COMMANDS = (
    "look",
    "play",
    "pause",
    "step",
    "speed",
    "players",
    "set",
    "recipe",
    "choose",
    "draw",
    "reset",
    "lesson",
)
"""What a page can ask for, under "do"."""
BEGINNINGS = ("choose", "draw", "reset", "lesson")
"""Those after which a training begins anew, and waits to be played."""


def _text(command: Mapping[str, Any], name: str) -> str:
    text: str = checked(name, command.get(name), str)
    return text


def _drawn(command: Mapping[str, Any]) -> Distribution:
    """What was drawn: heights on the line, or points on the plane."""
    kind: type[Distribution] = DrawnDensity if "heights" in command else DrawnPoints
    names = [field.name for field in fields(kind)]
    missing = [name for name in names if name not in command]
    if missing:
        raise RequestError(f"{', '.join(missing)}: missing from what was drawn")
    return kind(**{name: command[name] for name in names})

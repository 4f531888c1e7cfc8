"""Channels: values that change, pushed to every page that shows them.

A channel holds its latest value, such as the state of a run. Who subscribes gets it at
once, and then each later one. A subscriber that is slower than the changes skips some:
it never slows who publishes, and never falls behind.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from functools import cached_property
from threading import Lock
from typing import Any

from equipoise.coerce import as_json

# Values a second that a page is sent of one channel at most.
FRAMES_A_SECOND = 10


class Update:
    """A value of a channel. It is encoded once, by the first who sends it."""

    def __init__(self, channel: str, value: Any) -> None:
        self.channel: str = channel
        self.value: Any = value

    @cached_property
    def text(self) -> str:
        """As JSON; NaN and infinities are null."""
        content = {"channel": self.channel, "value": as_json(self.value)}
        return json.dumps(content, allow_nan=False, separators=(",", ":"))


class Subscriber:
    """One page's connection: the channels that it shows, and what it has not been sent
    yet, at most one value of each.

    It belongs to the event loop in which it is made. Only `offer` may be called from
    other threads.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._waiting: dict[str, Update] = {}
        self._some = asyncio.Event()

    def offer(self, update: Update) -> None:
        """Have a value sent, in place of an earlier one that has not been."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._keep, update)

    def _keep(self, update: Update) -> None:
        self._waiting[update.channel] = update
        self._some.set()

    async def take(self) -> list[Update]:
        """Wait until there is something to send, and return it."""
        await self._some.wait()
        self._some.clear()
        taken, self._waiting = list(self._waiting.values()), {}
        return taken


class Channels:
    """All channels by their names. Every method may be called from any thread."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._latest: dict[str, Update] = {}
        self._subscribers: dict[str, set[Subscriber]] = {}
        self._starters: list[tuple[str, Callable[[str], None]]] = []

    def publish(self, channel: str, value: Any) -> None:
        """Set a channel's value and push it to who shows it.

        Args:
            channel: Its name, such as "run-gaussian-0".
            value: Anything that JSON has. It must not be changed afterwards.
        """
        update = Update(channel, value)
        with self._lock:
            self._latest[channel] = update
            subscribers = list(self._subscribers.get(channel, ()))
        for subscriber in subscribers:
            subscriber.offer(update)

    def latest(self, channel: str) -> Any:
        """A channel's value; None before the first."""
        with self._lock:
            update = self._latest.get(channel)
        return None if update is None else update.value

    def forget(self, channel: str) -> None:
        """Drop a channel's value, of something that is gone."""
        with self._lock:
            self._latest.pop(channel, None)

    def watched(self, channel: str) -> bool:
        """Whether any page shows a channel now."""
        with self._lock:
            return bool(self._subscribers.get(channel))

    def when_watched(self, prefix: str, start: Callable[[str], None]) -> None:
        """Have start(channel) called whenever a channel whose name begins with `prefix`
        gets its first subscriber. It is called in the event loop and must return at
        once."""
        self._starters.append((prefix, start))

    def subscribe(self, channel: str, subscriber: Subscriber) -> None:
        """Send a channel's value, and all later ones, to a subscriber."""
        with self._lock:
            those = self._subscribers.setdefault(channel, set())
            is_first = not those
            those.add(subscriber)
            update = self._latest.get(channel)
        if update is not None:
            subscriber.offer(update)
        if is_first:
            for prefix, start in self._starters:
                if channel.startswith(prefix):
                    start(channel)

    def unsubscribe(self, channel: str, subscriber: Subscriber) -> None:
        """Send no more of a channel to a subscriber."""
        with self._lock:
            those = self._subscribers.get(channel, set())
            those.discard(subscriber)
            if not those:
                self._subscribers.pop(channel, None)

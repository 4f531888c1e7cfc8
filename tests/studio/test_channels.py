"""Channels: who watches gets the latest value, from whatever thread it comes."""

from __future__ import annotations

import asyncio
import json
import math
import threading
from typing import Any

from equipoise.studio.channels import Channels, Subscriber, Update


async def taken(subscriber: Subscriber) -> list[Any]:
    updates = await asyncio.wait_for(subscriber.take(), 5)
    return [(update.channel, update.value) for update in updates]


def test_a_late_subscriber_gets_the_latest_value_at_once() -> None:
    async def check() -> None:
        channels, subscriber = Channels(), Subscriber()
        channels.publish("a", 1)
        channels.publish("a", 2)
        channels.subscribe("a", subscriber)
        assert await taken(subscriber) == [("a", 2)]

    asyncio.run(check())


def test_a_slow_subscriber_skips_values_and_ends_with_the_last_of_each_channel() -> None:
    async def check() -> None:
        channels, subscriber = Channels(), Subscriber()
        for channel in "ab":
            channels.subscribe(channel, subscriber)
        for value in range(1000):
            channels.publish("ab"[value % 2], value)
        await asyncio.sleep(0)
        assert sorted(await taken(subscriber)) == [("a", 998), ("b", 999)]

    asyncio.run(check())


def test_values_published_by_another_thread_reach_every_subscriber() -> None:
    async def check() -> None:
        channels, subscribers = Channels(), [Subscriber() for _ in range(50)]
        for one in subscribers:
            channels.subscribe("a", one)
        thread = threading.Thread(target=channels.publish, args=("a", 7))
        thread.start()
        assert [await taken(one) for one in subscribers] == [[("a", 7)]] * 50
        thread.join()

    asyncio.run(check())


def test_who_has_unsubscribed_gets_nothing_more() -> None:
    async def check() -> None:
        channels, gone, there = Channels(), Subscriber(), Subscriber()
        for one in (gone, there):
            channels.subscribe("a", one)
        channels.unsubscribe("a", gone)
        channels.publish("a", 1)
        assert await taken(there) == [("a", 1)]
        assert not gone._waiting
        assert channels.watched("a")
        channels.unsubscribe("a", there)
        assert not channels.watched("a")

    asyncio.run(check())


def test_work_starts_with_a_channels_first_subscriber_and_not_with_its_second() -> None:
    async def check() -> None:
        channels, started = Channels(), list[str]()
        channels.when_watched("run-", started.append)
        for channel in ("run-a", "run-a", "learn", "run-b"):
            channels.subscribe(channel, Subscriber())
        assert started == ["run-a", "run-b"]

    asyncio.run(check())


def test_a_publisher_outlives_a_subscribers_event_loop() -> None:
    channels = Channels()

    async def leave_without_a_word() -> None:
        channels.subscribe("a", Subscriber())

    asyncio.run(leave_without_a_word())
    channels.publish("a", 1)
    assert channels.latest("a") == 1


def test_nan_and_infinities_are_null_on_the_page() -> None:
    update = Update("a", {"loss": math.nan, "metrics": [math.inf, 1.5]})
    assert json.loads(update.text)["value"] == {"loss": None, "metrics": [None, 1.5]}

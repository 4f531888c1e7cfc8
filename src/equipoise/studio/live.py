"""The WebSocket by which a page is told what changes: one for each tab.

The page sends {"subscribe": CHANNEL} and {"unsubscribe": CHANNEL}, and gets {"channel":
..., "value": ...}.
"""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress

from starlette.websockets import WebSocket, WebSocketDisconnect

from equipoise.studio.channels import FRAMES_A_SECOND, Channels, Subscriber

# Channels that one tab may show, and characters of a channel's name.
MAX_CHANNELS, MAX_NAME = 64, 300
# The code of RFC 6455 for a message that cannot be accepted.
BAD_MESSAGE = 1008


async def live(socket: WebSocket, channels: Channels) -> None:
    """Serve one tab until it is closed."""
    await socket.accept()
    subscriber, shown = Subscriber(), set[str]()
    sending = asyncio.create_task(_send(socket, subscriber))
    try:
        while _follow(await socket.receive_text(), channels, subscriber, shown):
            pass
        await socket.close(BAD_MESSAGE)
    except (WebSocketDisconnect, KeyError):  # KeyError: a message of bytes
        pass
    finally:
        for channel in shown:
            channels.unsubscribe(channel, subscriber)
        sending.cancel()
        with suppress(asyncio.CancelledError):
            await sending


def _follow(message: str, channels: Channels, subscriber: Subscriber, shown: set[str]) -> bool:
    """Do what a page asks for; False where it makes no sense."""
    try:
        asked = json.loads(message)
    except (ValueError, RecursionError):
        return False
    if not isinstance(asked, dict) or len(asked) != 1:
        return False
    verb, channel = next(iter(asked.items()))
    if not isinstance(channel, str) or len(channel) > MAX_NAME:
        return False
    if verb == "subscribe" and len(shown) < MAX_CHANNELS:
        shown.add(channel)
        channels.subscribe(channel, subscriber)
        return True
    if verb == "unsubscribe":
        shown.discard(channel)
        channels.unsubscribe(channel, subscriber)
        return True
    return False


async def _send(socket: WebSocket, subscriber: Subscriber) -> None:
    """Send what changes, each channel at most FRAMES_A_SECOND times a second."""
    with suppress(WebSocketDisconnect, RuntimeError):  # the page is gone
        while True:
            for update in await subscriber.take():
                await socket.send_text(update.text)
            await asyncio.sleep(1 / FRAMES_A_SECOND)

"""The WebSocket: pages see what changes, and nonsense ends their connection alone."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect
from tests.studio.conftest import SOCKET

from equipoise.studio.live import MAX_CHANNELS
from equipoise.studio.state import Studio

LIVE = f"{SOCKET}/api/live"


def test_two_tabs_see_the_same_values(client: TestClient, studio: Studio) -> None:
    with client.websocket_connect(LIVE) as one, client.websocket_connect(LIVE) as two:
        for tab in (one, two):
            tab.send_json({"subscribe": "a"})
        while len(studio.channels._subscribers.get("a", ())) < 2:
            pass
        studio.channels.publish("a", {"step": 1})
        assert one.receive_json() == two.receive_json() == {"channel": "a", "value": {"step": 1}}


@pytest.mark.parametrize(
    "message",
    ["", "no JSON", "[]", "{}", '{"subscribe": 1}', '{"delete": "a"}', '{"subscribe": "%s"}'],
)
def test_a_message_that_makes_no_sense_ends_the_connection(
    client: TestClient, studio: Studio, message: str
) -> None:
    with client.websocket_connect(LIVE) as tab:
        tab.send_text(message % ("a" * 1000) if "%s" in message else message)
        with pytest.raises(WebSocketDisconnect):
            tab.receive_text()
    assert not studio.channels._subscribers


def test_one_tab_cannot_watch_endless_channels(client: TestClient) -> None:
    with client.websocket_connect(LIVE) as tab:
        for number in range(MAX_CHANNELS + 1):
            tab.send_json({"subscribe": f"c{number}"})
        with pytest.raises(WebSocketDisconnect):
            tab.receive_text()


def test_a_closed_tab_leaves_no_subscription(client: TestClient, studio: Studio) -> None:
    studio.channels.publish("a", 1)
    with client.websocket_connect(LIVE) as tab:
        tab.send_json({"subscribe": "a"})
        tab.receive_json()
    assert not studio.channels.watched("a")

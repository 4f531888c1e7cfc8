"""The addresses of the page Learn."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient


def test_the_catalogue_lists_what_the_page_offers(client: TestClient) -> None:
    catalogue = client.get("/api/learn/catalogue").json()
    assert len(catalogue["lessons"]) == 12
    assert {"name": "ring", "dimension": 2} in catalogue["distributions"]
    assert catalogue["recipes"][0]["name"] == "balanced"


def test_a_page_looks_and_steps(client: TestClient) -> None:
    assert client.get("/api/learn").json()["frame"]["readings"]["steps"] == 0
    stepped = client.post("/api/learn", json={"do": "step"}).json()
    assert stepped["frame"]["readings"]["steps"] == 1
    with client.websocket_connect("ws://127.0.0.1:8420/api/live") as tab:
        tab.send_json({"subscribe": "learn"})
        assert tab.receive_json()["value"]["readings"]["steps"] == 1


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'"play"', b'{"do": 1}'])
def test_a_body_that_is_no_command_is_refused_in_a_line(client: TestClient, body: bytes) -> None:
    answer = client.post("/api/learn", content=body)
    assert answer.status_code == 400
    assert "\n" not in answer.json()["error"]


def test_a_get_changes_nothing(client: TestClient) -> None:
    assert client.get("/api/learn?do=step").json()["frame"]["readings"]["steps"] == 0

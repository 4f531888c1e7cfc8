"""Runs as the page shows them: from their files, pushed to every tab."""

from __future__ import annotations

import math
import threading
from pathlib import Path

import pytest
from starlette.testclient import TestClient
from tests.helpers import TINY

from equipoise import GAN
from equipoise.studio.state import Studio
from equipoise.studio.training.progress import MAX_POINTS, curves
from equipoise.studio.training.runs import Runs

LIVE = "ws://127.0.0.1:8420/api/live"


@pytest.fixture
def run(studio: Studio) -> Path:
    """A tiny run in the studio's folder."""
    GAN(**TINY).fit("gaussian", out=studio.folder / "tiny", progress=False)
    return studio.folder / "tiny"


@pytest.mark.usefixtures("run")
def test_two_tabs_are_told_the_same_of_a_run(client: TestClient) -> None:
    with client.websocket_connect(LIVE) as one, client.websocket_connect(LIVE) as two:
        told = []
        for socket in (one, two):
            socket.send_json({"subscribe": "run-tiny"})
            told.append(socket.receive_json()["value"])
    assert told[0] == told[1]
    assert told[0]["phase"] == "finished"
    assert told[0]["curves"]["reports"]["samples_seen"][-1] == 32


@pytest.mark.usefixtures("run")
def test_nothing_is_watched_while_nobody_looks(client: TestClient) -> None:
    before = set(threading.enumerate())  # those of other tests may be about to end
    with client.websocket_connect(LIVE) as socket:
        socket.send_json({"subscribe": "run-tiny"})
        socket.receive_json()
        watching = [
            one for one in threading.enumerate() if one.name == "run-tiny" and one not in before
        ]
    assert len(watching) == 1
    watching[0].join(600)
    assert not watching[0].is_alive()


def test_a_run_that_is_gone_is_said_in_a_line(client: TestClient) -> None:
    with client.websocket_connect(LIVE) as socket:
        socket.send_json({"subscribe": "run-nothing"})
        assert "no run" in socket.receive_json()["value"]["error"]
    assert client.get("/api/runs/..").status_code == 404
    assert "no run" in client.post("/api/runs/nothing/stop").json()["error"]


def test_pictures_and_files_of_a_run(client: TestClient, run: Path) -> None:
    listed = client.get("/api/runs").json()["runs"]
    assert [(one["name"], one["phase"], one["picture"]) for one in listed] == [
        ("tiny", "finished", 32)
    ]
    assert client.get("/api/runs/tiny/pictures/32").headers["content-type"] == "image/png"
    assert "no image after 5 samples" in client.get("/api/runs/tiny/pictures/5").json()["error"]
    assert client.get("/api/runs/tiny/files/log.jsonl").text == (run / "log.jsonl").read_text()
    for name in ("config.json", "..%2f..%2fx", "generator.safetensors"):
        assert client.get(f"/api/runs/tiny/files/{name}").status_code in (400, 404)


def test_runs_that_were_named_are_shown_beside_those_of_the_folder(
    tmp_path: Path, run: Path
) -> None:
    (tmp_path / "other").mkdir()
    named = tmp_path / "other" / "tiny"
    named.mkdir()
    (named / "config.json").write_text("{}")
    paths = Runs((named, run), run.parent).paths()
    assert paths == {"tiny": run, "tiny~2": named}
    assert [one["phase"] for one in Runs((named,), tmp_path / "none").brief()] == ["failed"]


@pytest.mark.usefixtures("run")
def test_runs_are_compared_with_the_settings_that_differ(
    client: TestClient, studio: Studio
) -> None:
    GAN(**{**TINY, "width": 4}).fit("gaussian", out=studio.folder / "narrow", progress=False)
    told = client.get("/api/compare?name=tiny&name=narrow").json()
    assert told["settings"] == [{"name": "width", "values": ["8", "4"]}]
    assert [one["name"] for one in told["runs"]] == ["tiny", "narrow"]
    assert "from 2 to 8" in client.get("/api/compare?name=tiny").json()["error"]


def test_curves_are_bounded_and_hold_no_number_that_json_lacks() -> None:
    lines = [
        {"samples_seen": n, "seconds": 1.0, "discriminator_loss": math.nan} for n in range(5_000)
    ]
    told = curves([*lines, {"samples_seen": 5_000, "seconds": 1.0, "trouble": "it stalls"}])
    seen = told["reports"]["samples_seen"]
    assert len(seen) <= MAX_POINTS
    assert seen[-1] == 4_999
    assert set(told["reports"]["discriminator_loss"]) == {None}
    assert told["events"] == [{"samples_seen": 5_000, "kind": "trouble", "text": "it stalls"}]

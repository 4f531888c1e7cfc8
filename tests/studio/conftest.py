"""A studio in this process, and a client that asks it as its own page does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from equipoise.studio.app import create_app
from equipoise.studio.state import Studio

ADDRESS, SOCKET = "http://127.0.0.1:8420", "ws://127.0.0.1:8420"


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    return Studio(folder=tmp_path / "runs")


@pytest.fixture
def client(studio: Studio) -> Iterator[TestClient]:
    """A client that sends the headers which the page sends."""
    headers = {"X-Equipoise": "1", "Origin": ADDRESS}
    with TestClient(
        create_app(studio), base_url=ADDRESS, headers=headers, raise_server_exceptions=False
    ) as made:
        yield made

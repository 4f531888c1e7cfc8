"""Walks, directions and inversion, as the page shows them."""

from __future__ import annotations

import base64
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient
from tests.helpers import TINY, png, write_image

from equipoise import GAN
from equipoise.studio.state import Studio
from equipoise.studio.use import exploring


@pytest.fixture
def gan(studio: Studio, tmp_path: Path) -> GAN:
    """A tiny run on images."""
    for number in range(40):
        write_image(tmp_path / "in" / f"{number}.png", seed=number)
    made = GAN("dcgan", **TINY)
    return made.fit(tmp_path / "in", out=studio.folder / "noise", progress=False)


def pixels_of(uri: str) -> np.ndarray:
    content = base64.b64decode(uri.removeprefix("data:image/png;base64,"))
    return np.asarray(Image.open(io.BytesIO(content)))


def test_a_walk_is_that_of_python(client: TestClient, gan: GAN) -> None:
    told = client.get("/api/use/noise/walk?a=0&b=3&steps=4&seed=5&truncation=0.5").json()
    expected = gan.interpolate(0, 3, 4, seed=5, truncation=0.5)
    assert (np.stack([pixels_of(one) for one in told["images"]]) == expected).all()
    names = {"between": None}
    exec(told["python"], names)  # the lines are what the page tells the user to run
    assert (names["between"] == expected).all()


def test_sliders_in_the_middle_leave_the_image_as_it_is(client: TestClient, gan: GAN) -> None:
    told = client.get("/api/use/noise/directions?seed=5").json()
    assert len(told["explained"]) == exploring.DIRECTIONS
    still = client.get("/api/use/noise/moved.png?seed=5&number=2&alpha=0&alpha=0").content
    moved = client.get("/api/use/noise/moved.png?seed=5&number=2&alpha=0&alpha=3").content
    assert (np.asarray(Image.open(io.BytesIO(still))) == gan.sample(3, seed=5)[2]).all()
    assert moved != still


@pytest.mark.usefixtures("gan")
def test_a_picture_is_looked_for(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exploring, "INVERSION_STEPS", 2)
    picture = np.zeros((8, 8, 3), np.uint8)
    body = {"png": base64.b64encode(png(picture)).decode()}
    told = client.post("/api/use/noise/invert", json=body).json()
    assert (pixels_of(told["given"]) == picture).all()
    assert told["error"] > 0
    assert "the difference is" in told["words"]


@pytest.mark.usefixtures("gan")
@pytest.mark.parametrize("picture", ["", "no base64!", base64.b64encode(b"no picture").decode()])
def test_what_is_no_picture_is_one_line(client: TestClient, picture: str) -> None:
    answer = client.post("/api/use/noise/invert", json={"png": picture})
    assert answer.status_code == 400
    assert "/tmp" not in answer.json()["error"]


@pytest.mark.usefixtures("gan")
@pytest.mark.parametrize(
    "what",
    [
        "walk?a=-1&b=2",
        "walk?a=0&b=1&steps=1000",
        "walk?a=0&b=99999999",
        "moved.png?number=99999999",
        "moved.png?number=0&alpha=99",
        "moved.png?number=0&alpha=nan",
        "samples?n=2&truncation=2",
    ],
)
def test_numbers_out_of_range_are_one_line(client: TestClient, what: str) -> None:
    assert client.get(f"/api/use/noise/{what}").status_code == 400

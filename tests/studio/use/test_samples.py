"""Samples of a trained generator, as the page shows them and as files."""

from __future__ import annotations

import io
import json
import shlex
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from starlette.testclient import TestClient
from tests.helpers import TINY, Answer, write_image

from equipoise import GAN
from equipoise.studio.state import Studio
from equipoise.studio.use import downloading
from equipoise.studio.use.drawing import MAX_SHEET, sheet


@pytest.fixture
def images(studio: Studio, tmp_path: Path) -> GAN:
    """A tiny run on a folder of images of two classes."""
    for number in range(60):
        write_image(tmp_path / "in" / "ab"[number % 2] / f"{number}.png", seed=number)
    gan = GAN("cgan", **TINY)
    return gan.fit(tmp_path / "in", out=studio.folder / "pets", progress=False)


@pytest.fixture
def table(studio: Studio, tmp_path: Path) -> GAN:
    """A tiny run on a table."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"age": rng.integers(20, 70, 200), "plan": rng.choice(["a", "b"], 200)})
    frame.to_csv(tmp_path / "people.csv", index=False)
    gan = GAN(**TINY)
    return gan.fit(tmp_path / "people.csv", out=studio.folder / "people", progress=False)


def opened(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content))


def test_an_image_of_the_sheet_is_the_one_that_python_gives(
    client: TestClient, images: GAN
) -> None:
    asked = "n=6&seed=5&label=b"
    told = client.get(f"/api/use/pets/samples?{asked}").json()
    assert told["sheet"] == {"columns": 3, "width": 8, "height": 8}
    expected = images.sample(6, seed=5, label="b")
    whole = np.asarray(opened(client.get(f"/api/use/pets/sheet.png?{asked}").content))
    assert (whole[8:16, 8:16] == expected[4]).all()
    one = np.asarray(opened(client.get(f"/api/use/pets/images/4.png?{asked}").content))
    assert (one == expected[4]).all()
    assert "none has the number 6" in client.get(f"/api/use/pets/images/6.png?{asked}").text


@pytest.mark.usefixtures("images")
def test_what_an_image_is_nearest_to_and_the_sheet_by_class(client: TestClient) -> None:
    about = client.get("/api/use/pets").json()
    assert (about["kind"], about["classes"], about["endings"][0]) == ("images", ["a", "b"], ".zip")
    told = client.get("/api/use/pets/images/0/nearest?n=4&seed=1").json()
    assert told["distances"] == sorted(told["distances"])
    assert (len(told["nearest"]), told["among"]) == (5, 54)
    assert opened(client.get("/api/use/pets/classes.png?seed=1").content).height >= 100


def test_a_large_sheet_is_made_smaller() -> None:
    content, about = sheet(np.zeros((400, 256, 256, 3), np.uint8))
    assert max(opened(content).size) <= MAX_SHEET
    assert about["width"] < 256


@pytest.mark.usefixtures("table")
def test_rows_meet_their_conditions_and_stand_beside_real_ones(client: TestClient) -> None:
    told = client.get("/api/use/people/samples?n=30&seed=1&where=age%3D30..40").json()
    rows = told["table"]
    ages = [int(row[0]) for row in rows["generated"]]
    assert min(ages) >= 30
    assert max(ages) <= 40
    assert {row[1] for row in rows["real"]} <= {"a", "b"}
    assert rows["drawn"] >= 30
    assert rows["summaries"][0]["generated"]["kind"] == "numbers"
    names = {"gan": None, "samples": None}
    exec(told["python"], names)  # the lines are what the page tells the user to run
    assert [str(age) for age in names["samples"]["age"][:20]] == [str(age) for age in ages]


@pytest.mark.usefixtures("table")
@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("n=0", "must be from 1 to 5,000"),
        ("n=9999999999999999999999999", "must be from 1 to 5,000"),
        ("n=x", "must be a whole number"),
        ("n=5&seed=-1", "seed = -1"),
        ("n=5&label=a", "no classes"),
        ("n=5&where=nope%3D1", "no column"),
        ("n=5&code=c0%3D1", "no code"),
        ("n=5&code=c0", "must be as c0=3"),
    ],
)
def test_what_cannot_be_drawn_is_one_line(client: TestClient, query: str, said: str) -> None:
    answer = client.get(f"/api/use/people/samples?{query}")
    assert answer.status_code == 400
    assert said in answer.json()["error"]


@pytest.mark.usefixtures("table")
def test_a_run_without_a_generator_or_a_format_that_there_is_not(
    client: TestClient, studio: Studio
) -> None:
    assert "no format '.exe'" in client.get("/api/use/people/download?ending=.exe").json()["error"]
    (studio.folder / "people" / "generator.safetensors").unlink()
    assert "no generator yet" in client.get("/api/use/people").json()["error"]


@pytest.mark.slow
@pytest.mark.usefixtures("table")
def test_a_download_is_what_the_command_line_writes(
    client: TestClient,
    studio: Studio,
    tmp_path: Path,
    command: Callable[..., Answer],
) -> None:
    answer = client.get("/api/use/people/download?ending=.csv&n=50&seed=3")
    assert answer.headers["content-disposition"] == 'attachment; filename="people-50.csv"'
    told = client.get("/api/use/people/samples?n=50&seed=3").json()
    words = shlex.split(told["cli"])[1:]
    words[-1] = f"--out={tmp_path / 'mine.csv'}"
    assert command(*words).status == 0
    assert answer.content == (tmp_path / "mine.csv").read_bytes()
    assert list((studio.folder / ".studio" / "downloads").iterdir()) == []
    assert json.dumps(told)


@pytest.mark.usefixtures("table")
def test_a_generator_is_exported_or_one_line_says_why_not(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = client.get("/api/use/people/export?ending=.html")
    assert answer.content.lstrip().lower().startswith(b"<!doctype html>")
    assert answer.headers["content-disposition"] == 'attachment; filename="people.html"'
    assert ".onnx or .html" in client.get("/api/use/people/export?ending=.exe").json()["error"]
    says = "import sys; print('equipoise: install it', file=sys.stderr); sys.exit(2)"
    monkeypatch.setattr(downloading, "command", lambda _: [sys.executable, "-c", says])
    answer = client.get("/api/use/people/export?ending=.onnx")
    assert (answer.status_code, answer.json()) == (400, {"error": "install it"})

"""What was understood of data, read in a process of its own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from starlette.testclient import TestClient
from tests.helpers import write_image

from equipoise.errors import RequestError
from equipoise.studio import child
from equipoise.studio.state import Studio
from equipoise.studio.training.estimates import time_range
from equipoise.studio.training.understanding import understand

CSV = b"age,plan,city\n" + b"".join(
    f"{20 + i % 50},{'ab'[i % 2]},{'xyz'[i % 3]}\n".encode() for i in range(200)
)


@pytest.fixture
def in_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tasks run in this process, for tests that are not about the child's limits."""
    monkeypatch.setattr(child, "call", lambda _, arguments: understand(**arguments))


@pytest.mark.usefixtures("in_process")
def test_what_was_understood_and_said_is_remembered(client: TestClient, studio: Studio) -> None:
    assert client.put("/api/uploads/people.csv", content=CSV).json() == {"name": "people.csv"}
    assert client.get("/api/data/people.csv").json()["understood"] is None
    said = {"label_column": "plan", "columns": {"city": {"kind": "ignore"}}}
    told = client.post("/api/data/people.csv/understand", json={"said": said}).json()
    assert told["problem"] == ""
    assert [one["kind"] for one in told["understood"]["columns"]] == [
        "integer",
        "category",
        "ignore",
    ]
    assert told["understood"]["classes"] == [
        {"label": "a", "count": 100},
        {"label": "b", "count": 100},
    ]
    again = client.get("/api/data/people.csv").json()
    assert again == told
    assert studio.channels.latest("data-people.csv") == told
    lines = client.post("/api/data/people.csv/lines", json={"choices": {"minutes": 1}}).json()
    assert "--label-column=plan --columns=" in lines["cli"]
    assert client.delete("/api/uploads/people.csv").json() == {}
    assert "no upload" in client.get("/api/data/people.csv").json()["error"]


@pytest.mark.usefixtures("in_process")
def test_what_cannot_be_read_is_a_problem_and_what_was_understood_stays(
    client: TestClient,
) -> None:
    client.put("/api/uploads/people.csv", content=CSV)
    client.post("/api/data/people.csv/understand", json={})
    said = {"columns": {"nope": {"kind": "integer"}}}
    told = client.post("/api/data/people.csv/understand", json={"said": said}).json()
    assert "nope" in told["problem"]
    assert told["understood"]["described"] == "rows of 3 columns"
    assert "nope" in client.post("/api/data/people.csv/start", json={}).json()["error"]


@pytest.mark.parametrize("name", ["..%2f..%2fetc", ".studio", "nothing.csv"])
def test_what_is_no_upload_is_refused(client: TestClient, name: str) -> None:
    for answer in (
        client.get(f"/api/data/{name}"),
        client.post(f"/api/data/{name}/start", json={}),
        client.post(f"/api/data/{name}/understand", json={}),
    ):
        assert answer.status_code in (400, 404), answer.text


def test_a_folder_of_images_has_examples_and_what_was_left_out(tmp_path: Path) -> None:
    for number in range(24):
        write_image(tmp_path / "in" / "ab"[number % 2] / f"{number}.png", seed=number)
    (tmp_path / "in" / "notes.txt").write_text("no image")
    told = understand(str(tmp_path / "in"), {}, str(tmp_path / "columns.toml"))
    assert (told["kind"], told["size"], told["n_classes"]) == ("images", [8, 8], 2)
    assert told["left_out"] == [["notes.txt", "of an unknown ending: .txt"]]
    assert told["examples"].startswith("data:image/png;base64,")
    unfit = {one["name"] for one in told["recipes"] if one["why_not"]}
    assert "ctgan" in unfit
    assert "balanced" not in unfit


def test_the_estimate_is_a_range_around_what_was_measured() -> None:
    told = time_range([0.1] * 18 + [0.2, 0.3], steps=100)
    assert told["low"] == pytest.approx(10)
    assert told["low"] < told["high"] < 40


@pytest.mark.slow
def test_a_task_that_takes_too_long_is_ended_in_one_line(tmp_path: Path) -> None:
    asked = {"data": "ring", "said": {}, "columns_file": str(tmp_path / "c")}
    with pytest.raises(RequestError, match="took longer than"):
        child.call("understand", asked, seconds=0.2)


@pytest.mark.slow
def test_a_task_that_takes_too_much_memory_fails_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child, "memory_limit", lambda: 2**20 * 900)
    np.save(tmp_path / "big.npy", np.random.default_rng(0).random((4_000_000, 16)))
    asked = {"data": str(tmp_path / "big.npy"), "said": {}, "columns_file": str(tmp_path / "c")}
    with pytest.raises(RequestError, match="memory"):
        child.call("understand", asked)

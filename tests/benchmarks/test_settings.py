"""How results spread over settings: what is drawn, what decides, what is kept, and the
table and picture that come of it."""

from __future__ import annotations

import io
import json
import math
import subprocess
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from benchmarks.digit_run import KEYS, judged
from benchmarks.settings import fresh_jobs, main, measure, search_jobs
from benchmarks.settings_chart import chart
from benchmarks.settings_draws import settings_of
from benchmarks.settings_spread import Outcome, Spread, quartiles, spread_table
from PIL import Image

from benchmarks import results, settings, settings_draws
from equipoise.data.mnist import load
from equipoise.data.schema import Schema

DIVERGED = Outcome(math.inf, 0.0, 0.0)


@pytest.fixture
def digits_schema(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the draws need to know of MNIST, without its files."""
    schema = Schema((1, 28, 28), "NHW", "uint8", classes=tuple(range(10)))
    monkeypatch.setattr(settings_draws, "digits_schema", lambda: schema)


@pytest.mark.usefixtures("digits_schema")
@pytest.mark.parametrize("recipe", settings.RECIPES)
def test_settings_begin_with_the_default_and_more_of_them_with_the_same(recipe: str) -> None:
    few, many = settings_of(recipe, 2, 0), settings_of(recipe, 5, 0)
    assert few[0] == {}
    assert many[:3] == few
    assert len(many) == 6
    assert all("learning_rate" in drawn for drawn in many[1:])
    assert settings_of(recipe, 2, 1)[1:] != few[1:]


def outcomes(*frechet: float) -> list[Outcome]:
    return [DIVERGED if value == math.inf else Outcome(value, 0.5, 0.05) for value in frechet]


def test_quartiles_are_numpys_and_infinite_where_a_neighbour_is() -> None:
    values = [5.0, 1.0, 7.0, 2.0, 9.0, 4.0]
    assert quartiles(values) == pytest.approx(tuple(np.quantile(values, [0.25, 0.5, 0.75])))
    assert quartiles([1.0, math.inf, math.inf, 2.0]) == (1.75, math.inf, math.inf)
    assert quartiles([3.0]) == (3.0, 3.0, 3.0)


def test_a_run_that_failed_or_has_no_distance_is_the_worst() -> None:
    nothing = dict.fromkeys(KEYS, math.nan)
    assert Outcome.of({"failed": "diverged"}) == Outcome.of({"figures": nothing}) == DIVERGED
    assert DIVERGED.failed
    assert Outcome(9.0, 0.4, 0.0).failed
    assert not Outcome(9.0, 0.4, 0.02).failed
    assert Spread("dcgan", DIVERGED, outcomes(math.inf, 3, 2, 2)).best == 3


def test_the_table_has_a_row_for_each_recipe_the_most_forgiving_first() -> None:
    spreads = [
        Spread("wgan", outcomes(1)[0], outcomes(math.inf, math.inf, 3, math.inf)),
        Spread("dcgan", outcomes(2)[0], outcomes(2, 3, 4, 5)),
    ]
    heads, *rows = spread_table(spreads, Outcome(0.03, 0.99, 0.09))
    assert [row[0] for row in rows] == ["dcgan", "wgan", "real digits"]
    assert {len(row) for row in (heads, *rows)} == {12}
    assert rows[1][2:7] == ["1.00", "3.00", "diverged", "diverged", "diverged"]
    assert [rows[0][-1], rows[1][-1]] == ["0%", "75%"]


def test_the_picture_is_drawn_whatever_diverged() -> None:
    spreads = [
        Spread("wgan", DIVERGED, [DIVERGED] * 3),
        Spread("dcgan", outcomes(2)[0], outcomes(2, math.inf, 40)),
    ]
    image = Image.open(io.BytesIO(chart(spreads, 0.03, "two recipes")))
    assert image.width >= 800
    assert len(image.convert("RGB").getcolors(10**6) or []) > 5


def test_search_is_judged_on_validation_and_fresh_seeds_on_test_digits() -> None:
    drawn: Any = {"dcgan": [{}, {"width": 16}], "wgan": [{}, {"width": 64}]}
    search, fresh = search_jobs(drawn, 1.0), fresh_jobs(drawn, {"dcgan": 1, "wgan": 1}, 1.0)
    assert [(job.run.recipe, job.number) for job in search] == [
        ("dcgan", 0),
        ("wgan", 0),
        ("dcgan", 1),
        ("wgan", 1),
    ]
    assert {(job.run.split, job.run.seed) for job in search} == {("validation", 0)}
    assert {(job.run.split, job.run.seed) for job in fresh} == {
        ("test", seed) for seed in (100, 101, 102)
    }
    names = {job.name for job in [*search, *fresh]}
    assert len(names) == len(search) + len(fresh) == 16


class Trained:
    """Stands in for the process that trains: counts the runs, one of which diverges."""

    def __init__(self) -> None:
        self.runs: list[dict[str, Any]] = []

    def __call__(self, command: list[str], **_: object) -> subprocess.CompletedProcess[bytes]:
        run = json.loads(command[-1])
        self.runs.append(run)
        figures = dict(zip(KEYS, (2.0 + len(self.runs), 0.8, 0.06), strict=True))
        failed = run["seed"] == 0 and len(self.runs) == 2
        result = {"failed": "diverged"} if failed else {"figures": figures}
        return subprocess.CompletedProcess(command, 0, json.dumps(result).encode())


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Trained:
    stand_in = Trained()
    monkeypatch.setattr(settings.subprocess, "run", stand_in)
    monkeypatch.setattr(settings, "origin", lambda: results.Origin("1a", "m"))
    monkeypatch.setattr(settings, "baseline", lambda: dict.fromkeys(KEYS, 0.1))
    monkeypatch.setattr(settings, "IMAGE", tmp_path / "settings.png")
    return stand_in


def test_a_result_that_is_kept_is_made_again_only_for_another_setting(
    trained: Trained, tmp_path: Path
) -> None:
    (job, other) = search_jobs({"dcgan": [{}, {"width": 16}]}, 1.0)
    first = measure(job, tmp_path, [])
    assert measure(job, tmp_path, []) == first
    assert len(trained.runs) == 1
    (tmp_path / f"{other.name}.json").write_text(json.dumps({**first, "run": asdict(job.run)}))
    measure(other, tmp_path, [])
    assert len(trained.runs) == 2


@pytest.mark.parametrize(
    "wrong", [["--settings", "0"], ["--minutes", "0"], ["--recipes", "ctgan"], ["--recipes", "x"]]
)
def test_what_cannot_be_measured_is_refused_in_a_line(
    wrong: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(wrong)
    assert wrong[1] in capsys.readouterr().err.splitlines()[-1]


@pytest.mark.usefixtures("digits_schema")
def test_the_whole_benchmark_records_both_tables_and_goes_on_with_more_settings(
    trained: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocks: list[Any] = []
    monkeypatch.setattr(settings, "record", lambda *given, **_: blocks.append(given))
    chosen = ["--recipes", "dcgan", "--keep", str(tmp_path / "keep"), "--settings"]
    main([*chosen, "2"])
    assert len(trained.runs) == 3
    main([*chosen, "3", "--confirm"])
    assert len(trained.runs) == 3 + 1 + 6
    command, protocol, table, _, confirmed = blocks[-1]
    assert command.endswith("--recipes dcgan --settings 3 --confirm")
    assert "split" in protocol
    assert table[1][0] == "dcgan"
    assert table[1][-1] == "33%"
    assert confirmed[1][-1].startswith("number 2: batch_size ")
    assert Image.open(tmp_path / "keep" / "settings.png").width >= 800
    assert not settings.IMAGE.exists()  # which is of all recipes


@pytest.mark.usefixtures("mnist_home")
def test_real_digits_are_near_both_halves_and_one_image_is_not() -> None:
    images = load("train")[0][:1000]
    same = judged(np.repeat(images[:1], 50, 0), "test")
    for split in ("validation", "test"):
        found = judged(images, split)
        assert found[KEYS[0]] < 1 < same[KEYS[0]]
        assert found[KEYS[1]] > 0.95
        assert found[KEYS[2]] > 0.05
    assert same[KEYS[2]] == 0

"""The pages of the site that are made of the program say what the program does."""

from __future__ import annotations

import json
import sys
from dataclasses import fields
from pathlib import Path
from types import ModuleType

import pytest

from equipoise.cli.main import COMMANDS
from equipoise.cli.parsers import parser_of
from equipoise.recipes import catalogue
from equipoise.runs.settings import RunSettings

ROOT = Path(__file__).parents[2]
DIGITS = "recipes-digits-recipe-classic-began-sagan-fastgan-projected-r3gan-stylegan2.json"
OWN = [name for name, found in catalogue().items() if found.__module__.startswith("equipoise.")]


@pytest.fixture
def pages(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    import recipe_pages

    return recipe_pages


@pytest.fixture
def reference(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    import reference_pages

    return reference_pages


@pytest.mark.parametrize("name", OWN)
def test_a_recipes_page_has_its_paper_its_equations_and_every_field(
    name: str, pages: ModuleType
) -> None:
    page, recipe = pages.recipe_page(name), catalogue()[name]
    assert recipe.paper in page
    docstring = sys.modules[recipe.__module__].__doc__ or ""
    equations = [part for part in docstring.split("\n\n") if part.startswith("    ")]
    assert all(part in page for part in equations)
    assert [field.name for field in fields(recipe) if f"| `{field.name}` |" not in page] == []


@pytest.mark.parametrize("name", OWN)
def test_a_recipes_page_says_what_was_promised_what_was_reached_and_why(
    name: str, pages: ModuleType
) -> None:
    written, page = (ROOT / f"docs/recipes/{name}.md").read_text(), pages.recipe_page(name)
    headings = [line for line in written.splitlines() if line.startswith("#")]
    assert headings == [
        f"# {name}",
        "## What the paper promises",
        "## What published implementations reach",
        pages.OURS,
        pages.SETTING,
    ]
    assert all(page.count(f"\n{heading}\n") == 1 for heading in headings[1:])
    assert page.count(f"# {name}\n") == 1
    assert "](../../" not in page


def test_pictures_of_promises_are_shown_where_they_were_made(
    pages: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert pages._pictures("dcgan") == []
    (tmp_path / "docs/images/promises").mkdir(parents=True)
    (tmp_path / "docs/images/promises/critic-wgan.png").touch()
    monkeypatch.setattr(pages, "ROOT", tmp_path)
    (picture,) = pages._pictures("wgan")
    assert "](../images/promises/critic-wgan.png)" in picture
    assert pages._pictures("wgan-gp") == []


def test_defaults_that_depend_on_the_data_name_the_data(pages: ModuleType) -> None:
    page = pages.recipe_page("balanced")
    assert "| `batch_size` | `256`<br>" in page
    assert "eight numbers, table: `1024`" in page
    assert "images: `32`" in page


def row_of(result: str, label: str) -> str:
    """The first cells of a recorded row, as the page has them."""
    recorded = json.loads((ROOT / "benchmarks/results" / result).read_text())
    (row,) = [row for row in recorded["blocks"][0]["rows"] if row[0] == label]
    return " | ".join(row[:4])


def test_the_measured_rows_are_those_of_the_results(pages: ModuleType) -> None:
    result = DIGITS
    page = pages.recipe_page("classic")
    assert row_of(result, "classic, seed 0") in page
    assert json.loads((ROOT / "benchmarks/results" / result).read_text())["commit"] in page


def test_of_rows_measured_again_the_newest_are_shown(
    pages: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    result = "recipes-digits-recipe-balanced.json"
    newest = (ROOT / "benchmarks/results" / result).read_text()
    older = json.loads(newest) | {"date": "2026-01-01"}
    older["blocks"][0]["rows"][0][1] = "0.9564"
    (tmp_path / "between.json").write_text(newest)
    for name in ("after.json", "zero.json"):  # whichever is read first
        (tmp_path / name).write_text(json.dumps(older))
    monkeypatch.setattr(pages, "FOLDER", tmp_path)
    page, newest_row = pages.recipe_page("balanced"), row_of(result, "balanced, seed 0")
    older_row = " | ".join(older["blocks"][0]["rows"][0][:4])
    assert older_row != newest_row
    assert newest_row in page
    assert older_row not in page
    assert "0.9564" not in page


def test_every_command_and_every_option_has_its_place(reference: ModuleType) -> None:
    page = reference.commands_page()
    for name in COMMANDS:
        section = page.split(f"\n## {name}\n")[1].split("\n## ")[0]
        first = next(iter(parser_of(name).groups.values()))
        options = {field.replace("_", "-") for field in first.__dataclass_fields__}
        assert {option for option in options if option not in section.lower()} == set()


def test_every_setting_of_a_run_has_a_row(reference: ModuleType) -> None:
    page = reference.settings_page()
    assert {
        name for name in RunSettings.__dataclass_fields__ if f"| `{name}` |" not in page
    } == set()

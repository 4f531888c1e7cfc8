"""The front end: the same words in each language, small, and nothing from elsewhere."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

from equipoise.studio.app import STATIC

OWN = [path for path in STATIC.rglob("*") if path.is_file() and "vendor" not in path.parts]
PAGE_BYTES = 1_000_000


def words(language: str) -> dict[str, str]:
    """All texts of a language, read as the browser reads them."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed")
    script = f"import w from '{STATIC}/i18n/{language}.js'; console.log(JSON.stringify(w))"
    answer = subprocess.run(
        [node, "--experimental-default-type=module", "--input-type=module", "-e", script],
        check=True,
        capture_output=True,
        text=True,
    )
    found: dict[str, str] = json.loads(answer.stdout)
    return found


def test_both_languages_have_the_same_texts_with_the_same_values() -> None:
    english, chinese = words("en"), words("zh")
    assert english.keys() == chinese.keys()
    for key, text in english.items():
        holes = set(re.findall(r"\{\w+\}", text))
        assert holes == set(re.findall(r"\{\w+\}", chinese[key])), key


def test_every_text_that_the_page_asks_for_exists() -> None:
    english = words("en")
    for path in OWN:
        if path.suffix == ".js" and "i18n" not in path.parts:
            for key in re.findall(r"\bt\(\s*\"([\w.-]+)\"", path.read_text()):
                assert key in english, f"{path.name}: {key}"


def test_the_whole_page_is_below_a_megabyte() -> None:
    assert sum(path.stat().st_size for path in STATIC.rglob("*") if path.is_file()) < PAGE_BYTES


def test_nothing_is_loaded_from_elsewhere_and_no_html_is_made_of_data() -> None:
    for path in OWN:
        text = path.read_text()
        links = set(re.findall(r"https?://[\w./-]+", text)) - {"http://www.w3.org/2000/svg"}
        assert not links, path
        if path.suffix == ".js":
            assert not re.search(
                r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(", text
            ), path


def test_vendored_files_have_their_licence() -> None:
    assert (STATIC / "vendor" / "uPlot.LICENSE").read_text().startswith("The MIT License")


def test_the_package_ships_every_file_of_the_page() -> None:
    pyproject = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())
    patterns = pyproject["tool"]["setuptools"]["package-data"]["equipoise"]
    shipped = {path for pattern in patterns for path in STATIC.parents[1].glob(pattern)}
    assert set(OWN) <= shipped

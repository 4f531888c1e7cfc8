"""The documents are true: their example runs, their commands parse, their links lead
somewhere."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from equipoise.cli.train_options import parse_train
from equipoise.recipes import DEFAULT, find

pytestmark = pytest.mark.usefixtures("brief_reports")

ROOT = Path(__file__).parent.parent
DOCUMENTS = [
    path
    for folder in (".", "docs", "docs/recipes", "benchmarks")
    for path in ROOT.glob(f"{folder}/*.md")
]
TUTORIALS = [ROOT / "docs" / name for name in ("what-is-a-gan.md", "what-is-a-gan.zh-CN.md")]


def blocks(document: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", document.read_text(), re.M | re.S)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_and_images_lead_somewhere(document: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)\)", document.read_text())
    lost = [
        link
        for link in links
        if not link.startswith("https://") and not (document.parent / link).exists()
    ]
    assert lost == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_no_number_is_left_to_fill_in(document: Path) -> None:
    assert re.findall(r"@\w+@", document.read_text()) == []


@pytest.mark.parametrize("document", [ROOT / "README.md", *TUTORIALS], ids=lambda path: path.name)
def test_every_train_command_parses(document: Path) -> None:
    lines = re.findall(r"^equipoise train ([^#\n]*)", document.read_text(), re.M)
    assert lines
    for line in lines:
        of_a_run = find(DEFAULT) if "--resume" in line or "--init-from" in line else None
        request = parse_train(shlex.split(line), of_a_run)
        assert request.data or request.resume


@pytest.mark.parametrize("name", ["README.md", "README.zh-CN.md"])
def test_the_readmes_example_runs_as_it_stands(
    name: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    examples = blocks(ROOT / name, "python")
    if name == "README.zh-CN.md":  # the same code with other comments: compared alone
        english = blocks(ROOT / "README.md", "python")
        assert [*map(_code, examples)] == [*map(_code, english)]
        return
    example = examples[-1]  # tests/test_doc_blocks.py runs all of them, on little
    made: dict[str, object] = {}
    exec(example, made)
    assert "Wasserstein-1" in capsys.readouterr().out
    assert (here / "histogram.png").is_file()
    assert (made["new"] == made["same"]).all()


def _code(example: str) -> list[str]:
    return [line.split("#")[0].rstrip() for line in example.splitlines()]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_no_table_is_broken_in_two(document: Path) -> None:
    text = re.sub(r"^```.*?^```", "", document.read_text(), flags=re.M | re.S)
    lines = ["", *text.splitlines(), ""]
    first = [
        i
        for i, line in enumerate(lines)
        if line.startswith("|") and not lines[i - 1].startswith("|")
    ]
    assert [lines[i] for i in first if not re.match(r"\|[ :-]*-", lines[i + 1])] == []


def test_contributing_names_every_module_and_folder_of_the_package() -> None:
    package, guide = ROOT / "src/equipoise", (ROOT / "CONTRIBUTING.md").read_text()
    modules = {path.stem for path in package.glob("*.py") if not path.stem.startswith("__")}
    folders = {f"{path.parent.name}/" for path in package.glob("*/__init__.py")}
    assert {name for name in modules | folders if f"`{name}`" not in guide} == set()


@pytest.mark.parametrize("name", ["docs/reliability.md", "docs/glossary.md", "CONTRIBUTING.md"])
def test_every_file_that_a_document_names_exists(name: str) -> None:
    named = re.findall(r"`([a-z_0-9./]+(?:\.py|/))`", (ROOT / name).read_text())
    places = ROOT, ROOT / "src/equipoise", *(ROOT / "src/equipoise").glob("*/")
    assert named
    assert [path for path in named if not any((place / path).exists() for place in places)] == []

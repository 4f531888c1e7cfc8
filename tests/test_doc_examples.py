"""The pages for programmers: their examples run as they stand."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from equipoise.recipes import catalogue

pytestmark = pytest.mark.usefixtures("brief_reports", "no_pages")

DOCS = Path(__file__).parent.parent / "docs"


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", (DOCS / page).read_text(), re.M | re.S)


class Board:
    """Stands for TensorBoard's writer, which CI does not install."""

    def __init__(self, _: str) -> None:
        self.scalars: list[tuple[str, float, int]] = []

    def add_scalar(self, name: str, value: float, step: int) -> None:
        self.scalars.append((name, value, step))


def test_the_examples_of_the_python_page_run_from_top_to_bottom(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tensorboard = ModuleType("torch.utils.tensorboard")
    tensorboard.SummaryWriter = Board  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, tensorboard.__name__, tensorboard)
    made: dict[str, Any] = {}
    for block in blocks("python.md", "python"):
        exec(block, made)
    assert len(made["history"]) > 10
    assert {"generator_loss", "discriminator_loss"} <= {n for n, _, _ in made["board"].scalars}
    assert made["new"].shape == (100, 2)
    assert (here / "run" / "config.json").is_file()


def test_the_examples_of_the_page_on_tables_run_from_top_to_bottom() -> None:
    made: dict[str, Any] = {}
    for block in blocks("tables.md", "python"):
        exec(block, made)
    assert list(made["new"].columns) == list(made["orders"].columns)
    pairs = zip(made["new"]["country"], made["new"]["currency"], strict=True)
    assert set(pairs) == {("DE", "EUR"), ("US", "USD")}


def test_the_examples_of_the_page_on_latents_run_from_top_to_bottom(here: Path) -> None:
    made: dict[str, Any] = {}
    for block in blocks("latent.md", "python"):
        exec(block, made)
    assert (made["same"] == made["gan"].sample(4, seed=7)).all()
    assert made["moved"].shape == (28, 8, 8)
    assert made["near"].distances.shape == (3, 5)
    assert (here / "training.gif").is_file()
    assert (here / "walk.webp").is_file()


def test_the_custom_recipe_trains_from_a_package_of_its_own(tmp_path: Path) -> None:
    (module,) = blocks("custom-recipe.md", "python")
    (project,) = map(tomllib.loads, blocks("custom-recipe.md", "toml"))
    name, points = project["project"]["name"], project["project"]["entry-points"]
    (file,) = project["tool"]["setuptools"]["py-modules"]
    (tmp_path / f"{file}.py").write_text(module)
    info = tmp_path / f"{file}-1.dist-info"  # what pip would write
    info.mkdir()
    (info / "METADATA").write_text(f"Name: {name}\nVersion: 1\n")
    lines = [
        f"[{group}]\n{key} = {value}\n" for group in points for key, value in points[group].items()
    ]
    (info / "entry_points.txt").write_text("".join(lines))
    path = os.pathsep.join([str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])])
    (command,) = re.findall(
        r"^equipoise (train .*)$", (DOCS / "custom-recipe.md").read_text(), re.M
    )
    brief = ["--samples", "512", "--batch-size", "64", "--evaluate", "none"]
    done = subprocess.run(
        [sys.executable, "-m", "equipoise", *command.split(), *brief],
        env={**os.environ, "PYTHONPATH": path},
        cwd=tmp_path,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "runs/gaussian-my-hinge-0/generator.safetensors").is_file()


def test_every_metric_is_listed_by_its_key() -> None:
    from equipoise.metrics.registry import catalogue

    listed = set(
        re.findall(r"^\| `([a-z0-9_]+)(?:/\w+)?` \| .", (DOCS / "files.md").read_text(), re.M)
    )
    assert {metric.key for metric in catalogue().values()} <= listed


def test_every_recipe_has_a_row() -> None:
    rows = set(re.findall(r"^\| `([a-z0-9-]+)` \|", (DOCS / "recipes.md").read_text(), re.M))
    assert set(catalogue()) <= rows

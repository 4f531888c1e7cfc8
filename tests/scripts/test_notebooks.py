"""The notebooks: their sources become notebooks that run from top to bottom."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import ModuleType

import pytest

nbclient = pytest.importorskip("nbclient")
nbformat = pytest.importorskip("nbformat")

ROOT = Path(__file__).parents[2]
NAMES = sorted(path.stem for path in (ROOT / "notebooks").glob("*.py"))
# Before the first cell: whatever a GAN is asked for, it trains two steps.
TINY = f"""
ROOT = {str(ROOT)!r}
import sys
sys.path.insert(0, ROOT)
import equipoise.api
from equipoise.data import mnist
from equipoise.metrics import classifier
from tests.documents import digits
mnist.load = digits
from equipoise.metrics.budget import Budget
from equipoise.report import trained_run
brief = Budget(univariate=500, samples=200, images=200, baselines=1, two_sample=200,
               two_sample_images=200, copies=50, labelled=100, image_steps=20)
trained_run.FULL = trained_run.QUICK = brief
classifier.POINT_STEPS = 20
little = dict(samples=32, batch_size=16, width=8, threads=1)
made = equipoise.api.GAN.__init__
def tiny(self, recipe="balanced", **given):
    given.pop("minutes", None)
    made(self, recipe, **(dict(clusters=0) | given | little))
equipoise.api.GAN.__init__ = tiny
"""


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    import notebook_pages

    return notebook_pages


def test_every_notebook_has_a_title_and_a_link_to_colab(made: ModuleType) -> None:
    assert sorted(made.TITLES) == NAMES
    for name in NAMES:
        page = made.notebook_page(name)
        assert page.startswith("# ")
        assert f"/notebooks/{name}.ipynb)" in page
        assert made.notebook_text(name) == made.notebook_text(name)
        nbformat.validate(made.notebook(name))


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_runs_from_top_to_bottom(
    name: str, made: ModuleType, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = [str(ROOT / "src"), os.environ.get("PYTHONPATH", "")]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, paths)))
    commands = here / "bin"
    commands.mkdir()
    (commands / "equipoise").write_text(f'#!/bin/sh\nexec {sys.executable} -m equipoise "$@"\n')
    (commands / "equipoise").chmod(0o755)
    monkeypatch.setenv("PATH", f"{commands}{os.pathsep}{os.environ['PATH']}")
    found = made.notebook(name)
    found.cells = [cell for cell in found.cells if not cell.source.startswith("%pip")]
    found.cells.insert(0, nbformat.v4.new_code_cell(TINY))
    nbclient.NotebookClient(found, timeout=600, kernel_name="python3").execute(cwd=str(here))

"""The notebooks in the site: a page for each, and the notebook itself to open.

The sources are Python files in notebooks/, in jupytext's percent format. As notebooks
they exist only where they are built:

    python scripts/notebook_pages.py FOLDER
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import jupytext
from nbformat import NotebookNode

ROOT = Path(__file__).parent.parent
SOURCES = ROOT / "notebooks"
# In the order of the site, with their titles in the navigation.
TITLES = {
    "tutorial": "The tutorial's examples",
    "pictures": "Your own pictures",
    "table": "Your own table",
    "why_is_my_gan_bad": "Why is my GAN bad?",
    "new_recipe": "A new recipe",
}
# Where the site and its notebooks are published: what Colab opens.
REPOSITORY = os.environ.get("GITHUB_REPOSITORY", "equipoise/equipoise")
COLAB = "https://colab.research.google.com/github"


def notebook(name: str) -> NotebookNode:
    """A notebook, made of its source."""
    found: NotebookNode = jupytext.reads((SOURCES / f"{name}.py").read_text(), fmt="py:percent")
    for place, cell in enumerate(found.cells):
        cell["id"] = f"{name}-{place}"  # equal sources give equal notebooks
    return found


def notebook_text(name: str) -> str:
    """A notebook as a file."""
    return json.dumps(notebook(name), indent=1, ensure_ascii=False) + "\n"


def notebook_page(name: str) -> str:
    """The page of a notebook: its text and its code."""
    cells = [
        cell.source if cell.cell_type == "markdown" else f"```python\n{cell.source}\n```"
        for cell in notebook(name).cells
    ]
    colab = f"{COLAB}/{REPOSITORY}/blob/gh-pages/notebooks/{name}.ipynb"
    links = f"[Open in Colab]({colab}) or [download]({name}.ipynb) it."
    return "\n\n".join([cells[0], links, *cells[1:]]) + "\n"


def main() -> None:
    """Write all notebooks into a folder."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name in TITLES:
        (folder / f"{name}.ipynb").write_text(notebook_text(name))
        print(folder / f"{name}.ipynb")


if __name__ == "__main__":
    main()

"""What MkDocs calls while it builds the site: pages that lie outside docs/, and pages
that are made of the program.

The site's first page is README.md, and CONTRIBUTING.md, SECURITY.md and the results are
pages too. Each recipe has a page (`recipe_pages`), and so have the commands and the
settings (`reference_pages`). Each package has an API page, made of the docstrings of
its public modules.
"""

from __future__ import annotations

import re
from pathlib import Path
from posixpath import basename, dirname, join, normpath
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from equipoise.recipes import catalogue
from notebook_pages import TITLES, notebook_page, notebook_text
from recipe_pages import recipe_page
from reference_pages import commands_page, settings_page

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "src" / "equipoise"
PAGES = {  # pages that are made of files outside docs/
    "README.md": "index.md",
    "README.zh-CN.md": "index.zh-CN.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "CODE_OF_CONDUCT.md": "code-of-conduct.md",
    "SECURITY.md": "security.md",
    "benchmarks/RESULTS.md": "results.md",
    "benchmarks/EXPERIMENTS.md": "experiments.md",
}
FRONT_TITLE = "GAN, losses, errors"  # the page of the modules beside the packages
RECIPES, NOTEBOOKS, REFERENCE = "Recipes", "Notebooks", "Reference"  # of the navigation
ROW = re.compile(r"^\| `([a-z0-9-]+)` \|", re.M)
LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)#:\s]+)(#[^)\s]*)?\)")


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Add the pages of recipes, notebooks and of the API to the navigation."""
    assert config.nav is not None, "mkdocs.yml has a navigation"
    section(config, RECIPES).extend({name: f"recipes/{name}.md"} for name in own_recipes())
    section(config, NOTEBOOKS).extend(
        {title: f"notebooks/{name}.md"} for name, title in TITLES.items()
    )
    entries: list[Any] = [{FRONT_TITLE: "reference/front.md"}]
    entries += [{name: f"reference/{name}.md"} for name in packages()]
    section(config, REFERENCE).append({"API": entries})
    return config


def section(config: MkDocsConfig, title: str) -> list[Any]:
    """The entries of a section of the navigation."""
    entries: list[Any] = next(entry[title] for entry in config.nav or [] if title in entry)
    return entries


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are not in docs/, or of which only a part is."""
    for page, text in generated_pages().items():
        if (part := files.get_file_from_path(page)) is not None:
            files.remove(part)  # docs/recipes/ has a part of each recipe's page
        files.append(File.generated(config, page, content=text))
    return files


def generated_pages() -> dict[str, str]:
    """The pages that are not in docs/, by their paths in the site."""
    pages = {
        page: relinked((ROOT / source).read_text(), dirname(source))
        for source, page in PAGES.items()
    }
    pages |= {f"recipes/{name}.md": recipe_page(name) for name in own_recipes()}
    for name in TITLES:
        pages[f"notebooks/{name}.md"] = notebook_page(name)
        pages[f"notebooks/{name}.ipynb"] = notebook_text(name)
    pages |= {"commands.md": commands_page(), "settings.md": settings_page()}
    front = sorted(f"equipoise.{path.stem}" for path in PACKAGE.glob("[a-z]*.py"))
    pages["reference/front.md"] = reference(FRONT_TITLE, ["equipoise", *front])
    for name in packages():
        folder = PACKAGE / name
        found = (path.relative_to(PACKAGE.parent).with_suffix("") for path in folder.rglob("*.py"))
        modules = sorted(".".join(path.parts) for path in found if not path.name.startswith("_"))
        pages[f"reference/{name}.md"] = reference(name, modules)
    return pages


def on_page_markdown(markdown: str, *, page: Page, **_: Any) -> str:
    """Lead links of pages in docs/ to the pages that are made of other files, and the
    rows of the table of recipes to their pages."""
    if page.file.generated_by is not None:
        return markdown
    if page.file.src_uri == "recipes.md":
        markdown = ROW.sub(_row_with_link, markdown)
    return relinked(markdown, "docs")


def _row_with_link(row: re.Match[str]) -> str:
    name = row[1]
    return f"| [`{name}`](recipes/{name}.md) |" if name in own_recipes() else row[0]


def own_recipes() -> list[str]:
    """The recipes of this repository, by name."""
    return [
        name
        for name, recipe in catalogue().items()
        if recipe.__module__.startswith("equipoise.recipes.")
    ]


def packages() -> list[str]:
    """The packages that have a page, by name."""
    return sorted(path.parent.name for path in PACKAGE.glob("*/__init__.py"))


def reference(title: str, modules: list[str]) -> str:
    """The API page of some modules."""
    return "\n\n".join([f"# {title}", *(f"::: {module}" for module in modules)]) + "\n"


def relinked(text: str, folder: str) -> str:
    """Markdown with links that hold in the site.

    Args:
        text: Markdown whose links are relative to `folder`.
        folder: Where its file lies in the repository.

    Returns:
        The same, with links to pages of the site. A link to any other file of the
        repository becomes plain text.
    """

    def link(found: re.Match[str]) -> str:
        image, label, path, anchor = found.groups()
        target = normpath(join(folder, path))
        if target in PAGES:
            return f"[{label}]({PAGES[target]}{anchor or ''})"
        if target.startswith("docs/"):
            return f"{image}[{label}]({target.removeprefix('docs/')}{anchor or ''})"
        return label or basename(path)

    return LINK.sub(link, text)

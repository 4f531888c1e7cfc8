"""What MkDocs calls while it builds the site: pages that lie outside docs/, and the API
reference.

The site's first page is README.md, and CONTRIBUTING.md, SECURITY.md and the results are
pages too. Each package has an API page, made of the docstrings of its public modules.
"""

from __future__ import annotations

import re
from pathlib import Path
from posixpath import basename, dirname, join, normpath
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "src" / "equipoise"
PAGES = {  # pages that are made of files outside docs/
    "README.md": "index.md",
    "README.zh-CN.md": "index.zh-CN.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
    "benchmarks/RESULTS.md": "results.md",
    "benchmarks/EXPERIMENTS.md": "experiments.md",
}
FRONT_TITLE = "GAN, losses, errors"
FRONT = ("api", "errors", "losses", "penalties")  # modules beside the packages
LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)#:\s]+)(#[^)\s]*)?\)")


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Add the API pages to the navigation."""
    entries: list[Any] = [{FRONT_TITLE: "reference/front.md"}]
    entries += [{name: f"reference/{name}.md"} for name in packages()]
    assert config.nav is not None, "mkdocs.yml has a navigation"
    config.nav.append({"API": entries})
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are not in docs/."""
    for source, page in PAGES.items():
        text = relinked((ROOT / source).read_text(), dirname(source))
        files.append(File.generated(config, page, content=text))
    front = [f"equipoise.{name}" for name in FRONT]
    files.append(
        File.generated(config, "reference/front.md", content=reference(FRONT_TITLE, front))
    )
    for name in packages():
        folder = PACKAGE / name
        found = (path.relative_to(PACKAGE.parent).with_suffix("") for path in folder.rglob("*.py"))
        modules = sorted(".".join(path.parts) for path in found if not path.name.startswith("_"))
        text = reference(name, modules)
        files.append(File.generated(config, f"reference/{name}.md", content=text))
    return files


def on_page_markdown(markdown: str, *, page: Page, **_: Any) -> str:
    """Lead links of pages in docs/ to the pages that are made of other files."""
    inside = page.file.generated_by is None
    return relinked(markdown, "docs") if inside else markdown


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

"""A page for each recipe, made of its module, its part that is written by hand
(docs/recipes/), its fields, and what was measured of it."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import Field, fields
from pathlib import Path
from typing import Any
from unittest import mock

from benchmarks.results import FOLDER, Result, Table, read

from equipoise.cli.field_docs import field_docs
from equipoise.coerce import bounds
from equipoise.data.series.windows import Channel, Series
from equipoise.networks import pretrained
from equipoise.recipes import DEFAULT, catalogue
from equipoise.recipes.base import Recipe
from equipoise.transforms.space import NetworkSpace, mode_spans, table_spans
from equipoise.transforms.window_space import WindowSpace
from field_tables import cell, code, limit_texts, table

ROOT = Path(__file__).parent.parent
WRITTEN = ROOT / "docs" / "recipes"
OURS, SETTING = "## What ours reaches, and why", "## The setting"  # headings in each of them
PROMISED = {  # pictures, by their names without the ending
    "critic-{}": "The critic's estimate of {} and the Fréchet distance over one training.",
    "{}-c0": "Values of c0 of {} from left to right; all else differs from row to row.",
    "{}-u0": "u0 of {} from -2 to 2; a row for each value of c0.",
    "{}-u1": "u1 of {} from -2 to 2; a row for each value of c0.",
}
# Pages of the site that are elsewhere in the repository.
MOVED = {
    "../../benchmarks/EXPERIMENTS.md": "../experiments.md",
    "../../benchmarks/RESULTS.md": "../results.md",
}
# Benchmarks whose rows are recipes, by what the first cell begins with.
MEASURED = ("recipes", "pictures", "tables", "promises")
# Kinds of data that have one name together.
TOGETHER = {
    "points": ("one number", "two numbers", "eight numbers"),
    "images": ("grey images", "colour images"),
}
TABLE_SIZES = (0, 0, 0, 3, 5)  # three numbers, and categories of three and five values


def example_spaces(recipe: type[Recipe]) -> dict[str, NetworkSpace]:
    """Data of each kind that the recipe takes, by its name."""
    series = Series(24, 24, (Channel("a"), Channel("b")))
    spans = (table_spans if recipe.table_kind == "scores" else mode_spans)(TABLE_SIZES)
    rows = {
        "one number": NetworkSpace((1,)),
        "two numbers": NetworkSpace((2,)),
        "eight numbers": NetworkSpace((8,)),
        "windows": NetworkSpace((48,), windows=WindowSpace.of(series)),
    }
    tables = {"table": NetworkSpace((sum(span.size for span in spans),), spans=spans)}
    images = {
        "grey images": NetworkSpace((1, 28, 28), is_image=True),
        "colour images": NetworkSpace((3, 32, 32), is_image=True),
    }
    if recipe.tables_only:
        return tables
    return images if recipe.images_only else {**rows, **tables, **images}


def recipe_page(name: str) -> str:
    """The page of one recipe."""
    recipe = catalogue()[name]
    module = sys.modules[recipe.__module__]
    own = [field for field in fields(recipe) if field.name not in Recipe.__dataclass_fields__]
    common = [field for field in fields(recipe) if field.name in Recipe.__dataclass_fields__]
    parts = [
        f"# {name}",
        f"{recipe.paper}. In the code: `src/equipoise/recipes/{Path(module.__file__ or '').name}`.",
        _prose(module.__doc__ or ""),
        _usage(recipe),
        _facts(recipe),
        _written(name),
        "## Its fields",
        _fields(recipe, own) if own else "It has none of its own.",
        "## Fields that every recipe has",
        _fields(recipe, common),
        _NOTE,
        "## Samples",
        _gallery(name),
        "## Measured",
        _measured(name),
    ]
    return "\n\n".join(parts) + "\n"


OF_DEFAULT = (
    "[The results](../results.md) have more of it, on many seeds: tables of `benchmarks.quality`, "
    "`benchmarks.unseen` and `benchmarks.verdicts`. Rows that compare it with other recipes:"
)
_NOTE = (
    "Defaults depend on the kind of data. They are shown for data of one, two and eight numbers, "
    "windows of 24 steps of 2 channels, a table of three numbers and two categories, 28 x 28 grey "
    "and 32 x 32 colour images, without the extra `photos`. The column paper has what "
    '`preset="paper"` sets for such data, where something is published for it.'
)


def _prose(docstring: str) -> str:
    """A module's docstring as Markdown: indented lines are equations, and code."""
    parts = []
    for part in docstring.strip().split("\n\n"):
        indented = all(line.startswith("    ") for line in part.splitlines())
        parts.append(part if indented else _escaped(part))
    return "\n\n".join(parts)


def _escaped(text: str) -> str:
    """Prose with what Markdown would take for markup escaped, but for code and
    lists."""
    pieces = re.split(r"(`[^`]*`)", text)
    return "".join(
        piece if piece.startswith("`") else _linked(re.sub(r"([*_<\[])", r"\\\1", piece))
        for piece in pieces
    )


def _linked(text: str) -> str:
    """With links to the documents that it names."""
    text = text.replace("benchmarks/EXPERIMENTS.md", "[experiments](../experiments.md)")
    return re.sub(r"docs/([a-z-]+\.md)", r"[\1](../\1)", text)


def _usage(recipe: type[Recipe]) -> str:
    data = "my-table.csv" if recipe.tables_only else "mnist"
    labels = " --conditional" if recipe.needs_labels else ""
    keyword = ", conditional=True" if recipe.needs_labels else ""
    return (
        f"```{{.text .usage}}\nequipoise train {data} --recipe {recipe.name}{labels}\n"
        f'GAN("{recipe.name}"{keyword}).fit("{data}")       # in Python\n```'
    )


def _facts(recipe: type[Recipe]) -> str:
    """What it takes, in a table."""
    data = "tables" if recipe.tables_only else "images" if recipe.images_only else "any"
    labels = "needed" if recipe.needs_labels else "can be learned" if recipe.takes_labels else "no"
    packs = f"no: D {recipe.one_at_a_time}" if recipe.one_at_a_time else "yes, by `packing`"
    rows = [["data", data], ["labels", labels], ["several samples at once for D", packs]]
    return table(["", ""], rows)


@contextmanager
def _without_photos() -> Iterator[None]:
    """As where the extra `photos` is not installed, wherever the site is built."""
    with mock.patch.object(pretrained, "is_installed", return_value=False):
        yield


def _written(name: str) -> str:
    """The part that is written by hand, without its title: with links that hold in the
    site, and pictures of what was promised."""
    text = (WRITTEN / f"{name}.md").read_text().partition("\n")[2].strip()
    for path, page in MOVED.items():
        text = text.replace(f"]({path}", f"]({page}")
    text = text.replace(OURS, f"{OURS}\n\nIts figures are under [Measured](#measured).")
    return text.replace(SETTING, "\n\n".join([*_pictures(name), SETTING]))


def _pictures(name: str) -> list[str]:
    """The pictures that `benchmarks.promises` made of it."""
    folder = ROOT / "docs" / "images" / "promises"
    return [
        f"![{caption.format(name)}](../images/promises/{path.name})\n\n{caption.format(name)}"
        for stem, caption in PROMISED.items()
        if (path := folder / f"{stem.format(name)}.png").is_file()
    ]


def _fields(recipe: type[Recipe], shown: list[Field[Any]]) -> str:
    docs, limits = field_docs(recipe), bounds(recipe)
    with _without_photos():
        by_kind = {kind: recipe.defaults(space) for kind, space in example_spaces(recipe).items()}
    published = _published(recipe)
    rows = [
        [
            code(field.name),
            _defaults(field, by_kind),
            *([_of_paper(field, published)] if published else []),
            cell(", ".join(limit_texts(limits[field.name]))),
            cell(docs.get(field.name, "")),
        ]
        for field in shown
    ]
    paper = ["paper"] if published else []
    return table(["field", "default", *paper, "bounds", "what it sets"], rows)


def _published(recipe: type[Recipe]) -> dict[str, dict[str, Any]]:
    """The published settings, by the kind of data they are for."""
    if not recipe.published_for:
        return {}
    found = {kind: recipe.published(space) for kind, space in example_spaces(recipe).items()}
    return {kind: fields for kind, fields in found.items() if fields}


def _of_paper(field: Field[Any], published: dict[str, dict[str, Any]]) -> str:
    """The published values of a field, with the kinds of data where there are
    several."""
    kinds_of: dict[str, list[str]] = {}
    for kind, values in published.items():
        if field.name in values:
            kinds_of.setdefault(code(str(values[field.name])), []).append(kind)
    if len(kinds_of) == 1 and sum(map(len, kinds_of.values())) == len(published):
        return next(iter(kinds_of))
    return "<br>".join(f"{_joined(kinds)} {shown}" for shown, kinds in kinds_of.items())


def _defaults(field: Field[Any], by_kind: dict[str, dict[str, Any]]) -> str:
    """The default of a field, and for which kinds of data it is another one."""
    kinds_of: dict[str, list[str]] = {}
    for kind, defaults in by_kind.items():
        default = defaults.get(field.name, field.default)
        kinds_of.setdefault("by rule" if default is None else code(str(default)), []).append(kind)
    usual = max(kinds_of, key=lambda shown: len(kinds_of[shown]))
    others = [f"{_joined(kinds)} {shown}" for shown, kinds in kinds_of.items() if shown != usual]
    return "<br>".join([usual, *others])


def _joined(kinds: list[str]) -> str:
    """Kinds of data, those that belong together as one."""
    text = ", ".join(kinds)
    for whole, parts in TOGETHER.items():
        text = text.replace(", ".join(parts), whole)
    return f"{text}:"


def _gallery(name: str) -> str:
    """What the gallery shows of it, image and caption."""
    text = (ROOT / "docs/gallery.md").read_text()
    sections = re.findall(r"^## (.+?)\n\n(.*?)(?=^## |\Z)", text, re.M | re.S)
    found = [body.strip().replace("](", "](../") for title, body in sections if title == name]
    shown = re.findall(r"\]\(\.\./([^)]*)\)", found[0]) if found else []
    more = [
        f"![{name}: samples]({'../' + path.relative_to(ROOT / 'docs').as_posix()})"
        for path in sorted((ROOT / "docs/images").rglob(f"*{name}*.png"))
        if _is_of(path, name) and path.relative_to(ROOT / "docs").as_posix() not in shown
    ]
    if not found and not more:
        return "The [gallery](../gallery.md) has none of it yet."
    head = "MNIST, five minutes on one thread, seed 0, as in [the gallery](../gallery.md)."
    rest = ["[The gallery](../gallery.md) says how these were made:", *more] if more else []
    return "\n\n".join([head, *found, *rest] if found else rest)


def _is_of(path: Path, name: str) -> bool:
    """Whether an image is of this recipe, not of one whose name has this in it."""
    stem = path.stem
    if path.parent.name == "recipes":
        return stem in (name, f"{name}-labels")
    return (
        path.parent.name == "pictures" and re.search(rf"-{name}-(conditional|\d)", stem) is not None
    )


def _measured(name: str) -> str:
    """The newest rows of each benchmark and data that the recipe was measured on."""
    newest: dict[tuple[str, str], tuple[str, str]] = {}
    for path in sorted(FOLDER.glob("*.json")):
        result = read(path)
        words = result.command.split()
        module = words[2].removeprefix("benchmarks.")
        if module not in MEASURED:
            continue
        for block in result.blocks:
            if isinstance(block, Table) and (rows := _rows(block, module, name)):
                key = (" ".join(words[2:4]), block.columns[0])
                newest[key] = max(
                    newest.get(key, ("", "")), (result.date, _section(result, block, rows))
                )
    if not newest and name != DEFAULT:
        return (
            "No row of [the results](../results.md) is of it yet. [Experiments](../experiments.md) "
            "says what was tried."
        )
    own = [OF_DEFAULT] if name == DEFAULT else []
    return "\n\n".join([*own, *(section for _, section in newest.values())])


def _rows(block: Table, module: str, name: str) -> list[list[str]]:
    """The rows of a table that are of this recipe."""
    # Of tables the row "ctgan" is of the package CTGAN, which is compared with.
    first = f"recipe-{name}" if module == "tables" and name == "ctgan" else name
    pattern = re.compile(rf"{re.escape(first)}(,? |$)")
    return [row for row in block.rows if pattern.match(row[0])]


def _section(result: Result, block: Table, rows: list[list[str]]) -> str:
    shown = [*rows, *(row for row in block.rows if row[0].startswith("real"))]
    filled = [
        i
        for i, column in enumerate(block.columns)
        if column != "gate" and any(row[i] for row in rows)
    ]
    cells = [[cell(row[i]) for i in filled] for row in shown]
    origin = f"`{result.command}`, commit {result.commit}, {result.machine}, {result.date}."
    return f"{table([cell(block.columns[i]) for i in filled], cells)}\n\n{origin} {result.protocol}"

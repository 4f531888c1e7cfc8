"""The rooms of the package: imports run downwards only."""

from __future__ import annotations

import ast
from pathlib import Path

import equipoise

PACKAGE = Path(equipoise.__file__).parent
ROOMS = [  # from the highest down; a file may import from rooms below its own, and from its own
    {"cli", "__main__"},
    {"cli_train"},
    {"options", "exporting", "output"},
    {"gan", "__init__"},
    {"starting", "resuming", "ending", "warm_start", "history"},
    {"saving", "telling"},
    {"fitting", "choices", "progress"},
    {"page"},
    {"report", "plots", "sketches", "sheets"},
    {"training"},
    {"verdict"},
    {"recipes"},
    {"formatting"},
    {"metrics"},
    {"losses", "penalties"},
    {"networks"},
    {"data"},
    {"kinds"},
    {"errors"},
]


def room_of(module: str) -> int:
    """The number of the room that equipoise.X... belongs to."""
    name = module.split(".")[1] if "." in module else "__init__"
    return next(number for number, room in enumerate(ROOMS) if name in room)


def imports_of(path: Path) -> list[str]:
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "equipoise":
            deeper = [f"{node.module}.{alias.name}" for alias in node.names]
            found += deeper if node.module == "equipoise" else [node.module]
        elif isinstance(node, ast.Import):
            found += [alias.name for alias in node.names if alias.name.split(".")[0] == "equipoise"]
    return [name for name in found if name != "equipoise.__version__"]


def test_every_file_belongs_to_a_room() -> None:
    names = {path.stem if path.parent == PACKAGE else path.parent.name for path in PACKAGE.rglob("*.py")}
    assert names <= set().union(*ROOMS)


def test_imports_run_downwards_only() -> None:
    upward = []
    for path in PACKAGE.rglob("*.py"):
        module = ".".join(["equipoise", *path.relative_to(PACKAGE).with_suffix("").parts])
        own = room_of(module)
        upward += [f"{module} imports {name}" for name in imports_of(path) if room_of(name) < own]
    assert upward == []


def test_the_step_knows_no_recipe_by_name() -> None:
    from equipoise.recipes import catalogue

    text = (PACKAGE / "training" / "step.py").read_text()
    assert [name for name in catalogue() if f'"{name}"' in text] == []


def test_files_stay_under_300_lines() -> None:
    long = {path.name: lines for path in PACKAGE.rglob("*.py") if (lines := len(path.read_text().splitlines())) > 300}
    assert long == {}

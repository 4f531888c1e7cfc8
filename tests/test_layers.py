"""The packages: imports run downwards only, and inside a package there is no circle."""

from __future__ import annotations

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import equipoise

PACKAGE = Path(equipoise.__file__).parent
LAYERS = (  # from the highest down; a file may import from its own layer and from those below
    "__main__",
    "cli",
    "__init__",
    "studio",
    "sweeps",
    "api",
    "report",
    "training",
    "diagnosis",
    "runs",
    "plotting",
    "sampling",
    "runtime",
    "metrics",
    "recipes",
    "networks",
    "transforms",
    "data",
    "losses",
    "penalties",
    "ranges",
    "coerce",
    "utils",
    "errors",
)


def module_of(path: Path) -> str:
    """The dotted name of a file, a package's own for its __init__."""
    parts = ["equipoise", *path.relative_to(PACKAGE).with_suffix("").parts]
    return ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 2 else parts)


def imports_of(path: Path) -> list[str]:
    """The modules of the package that a file imports, wherever in the file."""
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if (
            isinstance(node, ast.ImportFrom)
            and node.module
            and node.module.split(".")[0] == "equipoise"
        ):
            found += [
                f"{node.module}.{alias.name}" if is_module(node.module, alias.name) else node.module
                for alias in node.names
            ]
        elif isinstance(node, ast.Import):
            found += [alias.name for alias in node.names if alias.name.split(".")[0] == "equipoise"]
    return ["equipoise.__init__" if name == "equipoise" else name for name in found]


def is_module(package: str, name: str) -> bool:
    below = PACKAGE.joinpath(*package.split(".")[1:], name)
    return below.is_dir() or below.with_suffix(".py").is_file()


def layer_of(module: str) -> int:
    """The number of the layer that equipoise.X... belongs to, 0 for the highest."""
    return LAYERS.index(module.split(".")[1])


def test_every_file_belongs_to_a_layer() -> None:
    assert {module_of(path).split(".")[1] for path in PACKAGE.rglob("*.py")} == set(LAYERS)


def test_imports_run_downwards_only() -> None:
    upward = []
    for path in PACKAGE.rglob("*.py"):
        module = module_of(path)
        upward += [
            f"{module} imports {name}"
            for name in imports_of(path)
            if layer_of(name) < layer_of(module) and name != VERSION
        ]
    assert upward == []


VERSION = "equipoise.__init__"  # of which lower layers take __version__ alone
PACKAGES = sorted(
    path.parent.relative_to(PACKAGE).as_posix()
    for path in PACKAGE.rglob("__init__.py")
    if path.parent != PACKAGE
)


@pytest.mark.parametrize("package", PACKAGES)
def test_the_files_of_a_package_import_one_another_without_a_circle(package: str) -> None:
    files = [path for path in PACKAGE.joinpath(package).rglob("*.py") if path.name != "__init__.py"]
    modules = {module_of(path) for path in files}
    graph = {
        module_of(path): modules.intersection(imports_of(path)) - {module_of(path)}
        for path in files
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


def test_the_step_knows_no_recipe_by_name() -> None:
    from equipoise.recipes import catalogue

    text = (PACKAGE / "training" / "step.py").read_text()
    assert [name for name in catalogue() if f'"{name}"' in text] == []

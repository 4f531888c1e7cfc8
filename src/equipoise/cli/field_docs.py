"""The docstrings of dataclass fields, read from the source."""

from __future__ import annotations

import ast
import sys
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any


def field_docs(settings: type[Any]) -> dict[str, str]:
    """The docstring of each field of a dataclass, inherited ones included: the string
    below it in the source. Empty without a source."""
    docs: dict[str, str] = {}
    for base in reversed(settings.__mro__):
        for statement, after in pairwise(_class_body(base)):
            if (
                isinstance(statement, ast.AnnAssign)
                and isinstance(statement.target, ast.Name)
                and isinstance(after, ast.Expr)
                and isinstance(after.value, ast.Constant)
            ):
                docs[statement.target.id] = " ".join(str(after.value.value).split())
    return docs


@cache
def _module_tree(name: str) -> ast.Module:
    path = getattr(sys.modules.get(name), "__file__", None)
    if path is None or not path.endswith(".py") or not Path(path).is_file():
        return ast.Module([], [])
    return ast.parse(Path(path).read_text(encoding="utf-8"))


def _class_body(settings: type[Any]) -> list[ast.stmt]:
    for node in _module_tree(settings.__module__).body:
        if isinstance(node, ast.ClassDef) and node.name == settings.__name__:
            return node.body
    return []

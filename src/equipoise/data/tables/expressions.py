"""What constraints say, as trees: `start <= end`, `total = price * quantity`,
`combinations(plan, country)`.

Python's parser reads the text, and nothing of it is ever run: what is not listed here
is refused. Names that are no identifiers stand in backticks, as in pandas' `query`.
"""

from __future__ import annotations

import ast
import math
import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass

from equipoise.data.tables.notes import quoted
from equipoise.errors import RequestError

MAX_LENGTH, MAX_DEPTH = 1_000, 30  # characters of a constraint, levels of its tree
FORMS = "write it as start <= end, total = price * quantity or combinations(plan, country)"
ARITHMETIC: dict[type[ast.operator], str] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.FloorDiv: "//",
    ast.Mod: "%",
    ast.Pow: "**",
}
COMPARISONS: dict[type[ast.cmpop], str] = {
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Eq: "==",
    ast.NotEq: "!=",
}
# What stands in backticks; texts, in which backticks mean nothing; and comments.
MARKS = re.compile(r"""`([^`]*)`|'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|(\#)""", re.DOTALL)


@dataclass(frozen=True)
class Constant:
    """A number, or a text."""

    value: float | str


@dataclass(frozen=True)
class Name:
    """A column."""

    name: str


@dataclass(frozen=True)
class Negative:
    """-of"""

    of: Tree


@dataclass(frozen=True)
class Operation:
    """left + right, and others."""

    operator: str
    left: Tree
    right: Tree


@dataclass(frozen=True)
class Comparison:
    """a <= b < c: each operand compared with the next."""

    operators: tuple[str, ...]
    operands: tuple[Tree, ...]


Tree = Constant | Name | Negative | Operation | Comparison


@dataclass(frozen=True)
class Assignment:
    """column = value"""

    column: str
    value: Tree


@dataclass(frozen=True)
class Combinations:
    """combinations(a, b): only those that the data has."""

    columns: tuple[str, ...]


Statement = Comparison | Assignment | Combinations


def parse(text: str) -> Statement:
    """What a constraint says.

    Raises:
        RequestError: If it is none. The message does not name it.
    """
    if len(text) > MAX_LENGTH:
        raise RequestError(f"is longer than {MAX_LENGTH:,} characters: split it")
    plain, names = _without_backticks(text.strip())
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # on unknown escapes in texts
            body = ast.parse(plain).body
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        raise RequestError(
            f"cannot be read: {FORMS}, and names such as `unit price` in backticks"
        ) from None
    reader = _Reader(names)
    if len(body) == 1:
        statement = body[0]
        if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
            column = reader.tree(statement.targets[0])
            if isinstance(column, Name):
                return Assignment(column.name, reader.tree(statement.value))
        if isinstance(statement, ast.Expr):
            return reader.condition(statement.value)
    raise RequestError(f"is none that is known: {FORMS}")


def names_in(trees: Sequence[Tree]) -> list[str]:
    """The columns of expressions, each once."""
    found: dict[str, None] = {}
    for tree in trees:
        match tree:
            case Name():
                found[tree.name] = None
            case Negative():
                found |= dict.fromkeys(names_in([tree.of]))
            case Operation():
                found |= dict.fromkeys(names_in([tree.left, tree.right]))
            case Comparison():
                found |= dict.fromkeys(names_in(tree.operands))
    return list(found)


def _without_backticks(text: str) -> tuple[str, dict[str, str]]:
    """A text with an identifier for each name in backticks, and those names by it."""
    prefix = "_"
    while prefix in text:
        prefix += "_"
    names: dict[str, str] = {}

    def identifier(found: re.Match[str]) -> str:
        if found[2]:
            raise RequestError(f"has a # outside of quotes: {FORMS}")
        if found[1] is None:
            return found[0]
        names[known := f"{prefix}{len(names)}"] = found[1]
        return known

    return MARKS.sub(identifier, text), names


@dataclass(frozen=True)
class _Reader:
    """From Python's tree to the one of this module."""

    names: dict[str, str]
    """What stands in backticks, by what stands for it."""

    def condition(self, node: ast.expr) -> Statement:
        """A comparison, or combinations.

        Raises:
            RequestError: For anything else.
        """
        if isinstance(node, ast.Compare):
            tree = self.tree(node)
            assert isinstance(tree, Comparison)
            return tree
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and not node.keywords:
            if node.func.id != "combinations":
                raise RequestError(f"has no function {quoted(node.func.id)}: {FORMS}")
            columns = [self.tree(part) for part in node.args]
            listed = tuple(dict.fromkeys(part.name for part in columns if isinstance(part, Name)))
            if len(columns) != len(listed) or len(listed) < 2:
                raise RequestError("combinations needs two or more names of columns, each once")
            return Combinations(listed)
        if isinstance(node, ast.BoolOp):
            raise RequestError("has 'and' or 'or': give constraints one by one; all of them hold")
        raise RequestError(f"is none that is known: {FORMS}")

    def tree(self, node: ast.expr, depth: int = 0) -> Tree:
        """An expression.

        Raises:
            RequestError: For what is none.
        """
        if depth > MAX_DEPTH:
            raise RequestError(f"is nested more than {MAX_DEPTH} levels deep: split it")
        match node:
            case ast.Constant(value=value):
                return Constant(_constant(value))
            case ast.Name(id=name):
                return Name(self.names.get(name, name))
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return Negative(self.tree(operand, depth + 1))
            case ast.UnaryOp(op=ast.UAdd(), operand=operand):
                return self.tree(operand, depth + 1)
            case ast.BinOp(left=left, op=operator, right=right) if type(operator) in ARITHMETIC:
                sides = self.tree(left, depth + 1), self.tree(right, depth + 1)
                return Operation(ARITHMETIC[type(operator)], *sides)
            case ast.Compare(left=left, ops=operators, comparators=others) if all(
                type(operator) in COMPARISONS for operator in operators
            ):
                return Comparison(
                    tuple(COMPARISONS[type(operator)] for operator in operators),
                    tuple(self.tree(operand, depth + 1) for operand in (left, *others)),
                )
        raise RequestError(
            "has more than names, numbers, texts in quotes, < <= > >= == != and + - * / // % **: "
            f"{FORMS}"
        )


def _constant(value: object) -> float | str:
    """A number or a text as it is written.

    Raises:
        RequestError: For another constant, or a number that no float is.
    """
    if isinstance(value, str):
        return value
    if not isinstance(value, int | float):
        raise RequestError(f"has {quoted(value)}: give numbers, or texts in quotes")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise RequestError("has a number that is too large")
    return number

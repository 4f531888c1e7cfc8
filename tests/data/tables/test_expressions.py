from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.data.tables.constraints import constraint_texts
from equipoise.data.tables.expressions import (
    MAX_LENGTH,
    Assignment,
    Combinations,
    Comparison,
    Constant,
    Name,
    Negative,
    Operation,
    names_in,
    parse,
)
from equipoise.errors import RequestError

SYMBOLS = st.sampled_from(
    [*"ab1`'\"\\()[]{}<>=!+-*/%,.:;@#~^&| \n\x00é\u202e", "**", "==", "<=", "a ", "combinations("]
)


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("a <= b", Comparison(("<=",), (Name("a"), Name("b")))),
        ("0 < a < 9", Comparison(("<", "<"), (Constant(0), Name("a"), Constant(9)))),
        (
            "a = b * (c + 1)",
            Assignment("a", Operation("*", Name("b"), Operation("+", Name("c"), Constant(1.0)))),
        ),
        ("a = -b ** 2", Assignment("a", Negative(Operation("**", Name("b"), Constant(2.0))))),
        ("`unit price` > 0", Comparison((">",), (Name("unit price"), Constant(0)))),
        ("`a`=`class`", Assignment("a", Name("class"))),
        ("a == '`b` #'", Comparison(("==",), (Name("a"), Constant("`b` #")))),
        ("_0 < `x y`", Comparison(("<",), (Name("_0"), Name("x y")))),
        ("combinations(a, `b c`)", Combinations(("a", "b c"))),
        ("  a\t<= b ", Comparison(("<=",), (Name("a"), Name("b")))),
    ],
)
def test_constraints_are_read(text: str, tree: object) -> None:
    assert parse(text) == tree


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is none that is known: write it as start <= end"),
        ("a", "is none that is known"),
        ("a <", "cannot be read"),
        ("unit price > 0", "cannot be read.*in backticks"),
        ("a < b; c < d", "is none that is known"),
        ("a < b and c < d", "one by one"),
        ("not a", "is none that is known"),
        ("a = b = c", "is none that is known"),
        ("a, b = c, d", "has more than names"),
        ("a < b.c", "has more than names"),
        ("a < b[0]", "has more than names"),
        ("a < f(b)", "has more than names"),
        ("a in b", "has more than names"),
        ("a < (lambda: 0)()", "has more than names"),
        ("__import__('os').system('x') < a", "has more than names"),
        ("eval('1')", "has no function 'eval'"),
        ("a < None", "has None"),
        ("a < 1j", "has 1j"),
        ("a < b'1'", "has b'1'"),
        ("a < 1e999", "too large"),
        ("a < 1" + "0" * 500, "too large"),
        ("combinations(a)", "two or more names"),
        ("combinations(a, a)", "two or more names"),
        ("combinations(a, 1)", "two or more names"),
        ("combinations(a, b=c)", "is none that is known"),
        ("a < b # c", "outside of quotes"),
        ("a < `b", "cannot be read"),
        ("a < " + "(" * 300 + "b" + ")" * 300, "cannot be read"),
        ("a < " + "-" * 500 + "b", "nested more than"),
        ("a < " + "+".join(["b"] * 100), "nested more than"),
        ("a < " + "b" * MAX_LENGTH, "longer than 1,000 characters"),
        ("a <\x00 b", "cannot be read"),
        ("while True: pass", "is none that is known"),
        ("import os", "is none that is known"),
    ],
)
def test_what_is_no_constraint_gets_one_line(text: str, message: str) -> None:
    with pytest.raises(RequestError, match=message) as caught:
        constraint_texts([text])
    assert "\n" not in str(caught.value)
    assert "constraint" in str(caught.value)


@given(st.one_of(st.text(max_size=80), st.lists(SYMBOLS, max_size=40).map("".join)))
def test_hostile_text_is_read_or_refused_in_one_line(text: str) -> None:
    with contextlib.suppress(RequestError):  # and nothing else
        assert isinstance(parse(text), Comparison | Assignment | Combinations)


@given(st.text(min_size=1, max_size=20).filter(lambda name: "`" not in name))
def test_any_name_without_backticks_can_stand_in_them(name: str) -> None:
    assert parse(f"`{name}` <= 1") == Comparison(("<=",), (Name(name), Constant(1.0)))


def test_all_that_are_wrong_are_told_at_once() -> None:
    with pytest.raises(RequestError, match=r"'a <': cannot be read.*'b': is none"):
        constraint_texts(["a <", "b", "c > 0"])
    with pytest.raises(RequestError, match="must be a list of texts"):
        constraint_texts({"a": 1})
    with pytest.raises(RequestError, match="at most 100"):
        constraint_texts([f"a > {i}" for i in range(101)])


def test_one_text_is_a_list_of_one_and_repeated_ones_are_one() -> None:
    assert constraint_texts("a > 0") == ("a > 0",)
    assert constraint_texts(["a > 0", " a > 0"]) == ("a > 0",)


def test_names_are_found_wherever_they_stand() -> None:
    tree = parse("-a + b * 2 < c ** d < (e == f)")
    assert isinstance(tree, Comparison)
    assert names_in([tree]) == ["a", "b", "c", "d", "e", "f"]

from __future__ import annotations

from equipoise.data.tables.notes import Note, Topic, lines, override_text, quoted, some_of

IDS = Topic("ids are made anew in", "to learn it")
TEXT = Topic("left out are", "")


def test_notes_of_one_topic_are_one_line() -> None:
    notes = [
        Note(IDS, "a", "'x1'"),
        Note(TEXT, "b", ""),
        Note(IDS, "c", "", {"kind": "category"}),
    ]
    assert lines(notes) == (
        "ids are made anew in: 'a' ('x1'), 'c'; to learn it: columns={'c': {'kind': 'category'}}",
        "left out are: 'b'",
    )
    assert lines([]) == ()


def test_the_first_of_many_columns_are_named() -> None:
    (line,) = lines([Note(TEXT, i, "") for i in range(1_000)])
    assert line == "left out are: 0, 1, 2, 3, 4, 5 and 994 more columns"


def test_names_and_cells_are_hostile_text() -> None:
    hostile = "\x1b[31m\n" + "x" * 10**6
    (line,) = lines([Note(IDS, hostile, "", {"kind": "category"})])
    assert "\n" not in line
    assert "\x1b" not in line
    assert len(line) < 300
    assert quoted("a'b") == '"a\'b"'
    assert quoted(1.5) == "1.5"
    assert some_of(["a", 1, 2.5, "b"]) == "'a', 1, 2.5, ..."
    assert override_text(3, {"missing": [-999]}) == "columns={'3': {'missing': [-999]}}"

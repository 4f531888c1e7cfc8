"""What comes before the rows of a table of text: comments, titles, names of columns."""

from __future__ import annotations

import pytest

from equipoise.data.readers.header import find_head, has_names


@pytest.mark.parametrize(
    ("rows", "named"),
    [
        (["age,job", "39,clerk", "50,cook"], True),
        (["39,clerk", "50,cook", "38,clerk"], False),
        (["5.1,3.5,setosa", "4.9,3.0,setosa"], False),
        (["1,2", "3,4"], False),
        (["p,x,s", "e,x,s", "p,b,s", "e,x,y"], False),  # codes that come again
        (["class,shape,surface", "e,x,s", "p,b,s", "e,x,y"], True),
        (["day,n", "2024-01-01,5", "2024-01-02,6"], True),
        (["2024-01-01,5", "2024-01-02,6"], False),
        (["2024-01-01 10:00", "2024-01-02 11:30"], False),
        (["country,2019,2020,2021", "A,1,2,3", "B,4,5,6"], True),
        (["id,2024-01,2024-02", "1,5,6", "2,7,8"], True),
        (["?,State,39", "1,Private,50", "2,Private,38"], False),
        (["x", "?", "5", "NA"], True),
        (["0,1", "0.5,1.5"], True),  # as pandas numbers columns
        (["0,1", "1,0", "1,1"], False),
        (["a,b"], True),
        (["1,2"], False),
        (["name", "Ann", "Bob"], True),
    ],
)
def test_a_line_of_names_is_told_from_a_row(rows: list[str], named: bool) -> None:
    assert has_names([row.split(",") for row in rows]) is named


@pytest.mark.parametrize(
    ("text", "names", "notes"),
    [
        ("a,b\n1,2\n", ["a", "b"], []),
        ("\n\na,b\n1,2\n", ["a", "b"], []),
        ("# by me\n# today\na,b\n1,2\n", ["a", "b"], ["2 comment lines skipped"]),
        ("# a b\n1 2\n3 4\n", ["a", "b"], ["1 comment line skipped, names from the last"]),
        ("#a\tb\nx\t2\nx\t4\n", ["a", "b"], ["1 comment line skipped, names from the last"]),
        ("#,b\n1,x\n2,x\n", ["#", "b"], ["1 comment line skipped, names from the last"]),
        ("# a, b and c\nx,y\n1,2\n3,4\n", ["x", "y"], ["1 comment line skipped"]),
        ("sep=;\na;b\n1;2\n", ["a", "b"], []),
        ("Sales\n\na,b,c\n1,2,3\n4,5,6\n", ["a", "b", "c"], ["1 line of a title skipped"]),
        ("Sales,,\n,,\na,b,c\n1,2,3\n", ["a", "b", "c"], ["2 lines of a title skipped"]),
        ("x,1\nx,2\ny,3\n", ["x0", "x1"], ["no line of names"]),
        ("1,2\n3,4\n", ["x0", "x1"], []),
        (",b\n1,2\n2,3\n", ["Unnamed: 0", "b"], []),
        ("a,b,\n1,2,\n3,4,\n", ["a", "b", "Unnamed: 2"], []),
        ("a,b\n1,2,\n3,4,\n", ["a", "b", "Unnamed: 2"], []),
        ("a,b,,\n1,2\n3,4\n", ["a", "b"], []),
        # R writes no name above the names of its rows.
        ("mpg,cyl\nMazda,21,6\nFiat,22,4\n", ["Unnamed: 0", "mpg", "cyl"], []),
        ("mpg,cyl\n1,21,6\n2,22,4\n", ["Unnamed: 0", "mpg", "cyl"], []),
        ("mpg,cyl\n7,21,6\n5,22,4\n", ["mpg", "cyl"], []),  # which is refused
        (" a , b \n1,2\n3,4\n", ["a", "b"], ["blanks around cells left out"]),
        ("a,b\n1, x\n2, y\n", ["a", "b"], ["blanks around cells left out"]),
        ('a,b\n1,"x, y"\n2,z\n', ["a", "b"], []),
    ],
)
def test_the_names_are_found_and_what_is_unusual_is_said(
    text: str, names: list[str], notes: list[str]
) -> None:
    head = find_head(text, is_whole=True)
    assert list(head.names) == names
    assert list(head.notes) == notes


def test_the_table_begins_where_comments_and_title_end() -> None:
    text = "# one\r\n\r\n# two\r\nReport\r\na;b;c\r\n1;2;3\r\n"
    head = find_head(text, is_whole=True)
    assert text.removeprefix(head.before) == "1;2;3\r\n"
    assert (head.names_line, head.first_line, head.width) == (5, 6, 3)
    assert head.rows == (("1", "2", "3"),)


@pytest.mark.parametrize("text", ["", "\n \n", "# only\n# comments\n"])
def test_a_file_without_a_table_is_empty(text: str) -> None:
    with pytest.raises(ValueError, match="it is empty"):
        find_head(text, is_whole=True)

"""What counts as hidden, wherever files are listed."""

from __future__ import annotations

import pytest

from equipoise.data.hidden import is_hidden


@pytest.mark.parametrize("path", [".a.png", ".thumbnails/a.png", "x/__MACOSX/._a.png", "a/.b/c"])
def test_a_part_that_is_hidden_hides_the_path(path: str) -> None:
    assert is_hidden(path.split("/"))


@pytest.mark.parametrize("path", ["a.png", "./a.png", "../a.png", "a.b/c.png", "_a/b.png", ""])
def test_other_paths_are_seen(path: str) -> None:
    assert not is_hidden(path.split("/"))

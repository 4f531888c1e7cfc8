"""What fuzzing found once is read again, and stays mended."""

from __future__ import annotations

from pathlib import Path

import pytest
from benchmarks.fuzz import CORPUS, READERS, attempt, seeds

FOUND = sorted(path for path in CORPUS.rglob("*") if path.is_file())


@pytest.mark.parametrize("path", FOUND, ids=lambda path: f"{path.parent.name}-{path.name[:20]}")
def test_a_file_that_once_broke_a_reader_is_read_or_refused_in_a_line(path: Path, tmp_path: Path) -> None:
    attempt(path.parent.name, path.read_bytes(), tmp_path)


@pytest.mark.parametrize("reader", READERS)
def test_what_fuzzing_begins_with_is_read(reader: str, tmp_path: Path) -> None:
    (content,) = seeds(reader)
    if reader != "generator":  # whose tensors are none
        (tmp_path / "made").write_bytes(content)
        READERS[reader](tmp_path / "made")
    attempt(reader, content, tmp_path)
    attempt(reader, content[: len(content) // 2], tmp_path)

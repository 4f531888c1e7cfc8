"""Files that appear whole, on systems that can force a folder's names to disk and on
one that cannot."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from equipoise.utils import atomic_io


def test_a_file_is_written_where_a_folder_cannot_be_opened_as_on_windows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Any, *_: Any) -> int:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(os, "open", refuse)
    monkeypatch.setattr(atomic_io, "POSIX", False)
    atomic_io.write_atomic(tmp_path / "a" / "b.txt", b"whole")
    assert [path.read_bytes() for path in (tmp_path / "a").iterdir()] == [b"whole"]


@pytest.mark.skipif(not atomic_io.POSIX, reason="Windows cannot")
def test_a_files_name_is_forced_to_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced = []
    monkeypatch.setattr(atomic_io, "sync_folder", synced.append)
    atomic_io.write_atomic(tmp_path / "b.txt", b"whole")
    assert synced == [tmp_path]

"""A release has the same bytes whenever and wherever it is built."""

from __future__ import annotations

import gzip
import io
import tarfile
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
FILES = {"a/b.py": b"x = 1\n", "a/PKG-INFO": b"Name: a\n"}


@pytest.fixture
def dist(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    import build_dist

    return build_dist


def sdist(names: list[str], time: int, owner: int, mode: int) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for name in names:
            entry = tarfile.TarInfo(name)
            entry.size, entry.mtime, entry.uid, entry.mode = len(FILES[name]), time, owner, mode
            tar.addfile(entry, io.BytesIO(FILES[name]))
    return gzip.compress(packed.getvalue(), mtime=time)


def test_time_owner_and_order_of_files_do_not_matter(dist: ModuleType) -> None:
    one = dist.repacked(sdist(list(FILES), 1, 0, 0o644), 1_700_000_000)
    other = dist.repacked(sdist(list(reversed(FILES)), 2, 1000, 0o664), 1_700_000_000)
    assert one == other
    with tarfile.open(fileobj=io.BytesIO(one)) as tar:
        kept = {entry.name: tar.extractfile(entry) for entry in tar}
        assert {name: file.read() for name, file in kept.items() if file} == FILES
        assert {entry.mtime for entry in tar.getmembers()} == {1_700_000_000}


def test_the_date_is_what_the_environment_says(
    dist: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    assert dist.source_date() == 1_700_000_000


def test_the_versions_of_a_release_agree() -> None:
    from equipoise import __version__

    assert f'version = "{__version__}"' in (ROOT / "pyproject.toml").read_text()
    assert f"version: {__version__}\n" in (ROOT / "CITATION.cff").read_text()

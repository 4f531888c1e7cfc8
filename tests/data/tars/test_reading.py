"""Tars that are damaged, or were made to do harm."""

from __future__ import annotations

import gzip
import io
import tarfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tests.helpers import png, write_tar

from equipoise.data.factory import open_source
from equipoise.data.tars.reading import Member, PassedOver, members
from equipoise.errors import RequestError

RNG = np.random.default_rng(0)
IMAGES = {f"{i}.png": png(RNG.integers(0, 256, (8, 8), np.uint8)) for i in range(6)}


@pytest.fixture(autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EQUIPOISE_DATA", str(tmp_path_factory.mktemp("home")))


def test_members_are_found_where_their_bytes_are(tmp_path: Path) -> None:
    found = [*members(write_tar(tmp_path / "a.tar", IMAGES))]
    assert {one.name: one.read(2**20) for one in found if isinstance(one, Member)} == IMAGES


def header(name: str, size: int, kind: bytes = tarfile.REGTYPE) -> bytes:
    entry = tarfile.TarInfo(name)
    entry.size, entry.type = size, kind
    return entry.tobuf(tarfile.GNU_FORMAT)


def patched(content: bytes, block: int) -> bytes:
    """With a header that says nothing."""
    start = block * tarfile.BLOCKSIZE
    return content[:start] + b"\xff" * tarfile.BLOCKSIZE + content[start + tarfile.BLOCKSIZE :]


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda _: b"", "damaged, cut off or no .tar"),
        (lambda _: b"no tar" * 200, "damaged, cut off or no .tar"),
        (lambda content: content[:700], "cut off within 0.png|unexpected end of data"),
        (lambda content: content[:1200], "no file begins at byte 1,024|cut off"),
        (lambda content: patched(content, 2), "no file begins at byte 1,024"),
        (lambda content: header("a.png", 2**40) + content, "cut off within a.png|end of data"),
        (
            lambda content: header("././@PaxHeader", 2**33, tarfile.XHDTYPE) + content,
            "a header claims 8,589,934,592 bytes",
        ),
        (
            lambda content: header("././@LongLink", 2**33, tarfile.GNUTYPE_LONGNAME) + content,
            "a header claims",
        ),
        (gzip.compress, "damaged, cut off or no .tar"),
    ],
)
def test_a_damaged_tar_is_refused_in_a_line(
    tmp_path: Path, damage: Callable[[bytes], bytes], message: str
) -> None:
    path = write_tar(tmp_path / "a.tar", IMAGES)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(RequestError, match=message) as refused:
        open_source(path)
    assert "\n" not in str(refused.value)
    assert str(path) in str(refused.value)


def test_a_size_below_zero_does_not_lead_in_circles(tmp_path: Path) -> None:
    path = tmp_path / "a.tar"
    entry = tarfile.TarInfo("a.png")
    entry.pax_headers = {"size": "-1024"}
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as tar:
        tar.addfile(entry)
    with pytest.raises(RequestError, match=r"damaged, cut off or no \.tar"):
        open_source(path)


def test_nothing_of_a_tar_is_written_and_what_is_no_plain_file_is_passed_over(
    tmp_path: Path,
) -> None:
    secret = tmp_path / "secret.png"
    secret.write_bytes(IMAGES["0.png"])
    path = tmp_path / "in" / "a.tar"
    path.parent.mkdir()
    outside = {f"../../{name}": content for name, content in IMAGES.items()}
    write_tar(
        path, {**outside, "/etc/evil.png": IMAGES["1.png"], ".hidden.png": b"", "__x.png": b""}
    )
    with tarfile.open(path, "a") as tar:
        for name, kind in (
            ("link.png", tarfile.SYMTYPE),
            ("hard.png", tarfile.LNKTYPE),
            ("pipe.png", tarfile.FIFOTYPE),
            ("device.png", tarfile.CHRTYPE),
        ):
            entry = tarfile.TarInfo(name)
            entry.type, entry.linkname = kind, str(secret)
            tar.addfile(entry, io.BytesIO())
    before = set(tmp_path.rglob("*"))
    source = open_source(path)
    assert set(tmp_path.rglob("*")) == before
    assert (source.training_rows or 0) + (source.test_rows or 0) == 7
    assert [one.name for one in source.left_out] == sorted(
        f"a.tar/{name}.png" for name in ("link", "hard", "pipe", "device", ".hidden", "__x")
    )
    assert sum(isinstance(one, PassedOver) for one in members(path)) == 4


def test_an_archive_that_was_cut_off_while_it_is_read_is_noticed(tmp_path: Path) -> None:
    path = write_tar(tmp_path / "a.tar", IMAGES)
    last = [*members(path)][-1]
    assert isinstance(last, Member)
    path.write_bytes(path.read_bytes()[:600])
    with pytest.raises(OSError, match="the archive is cut off"):
        last.read(2**20)

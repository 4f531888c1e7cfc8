"""Files that a stranger made to do harm: each gets one line, and nothing runs, hangs,
fills the memory or touches another place."""

from __future__ import annotations

import gzip
import io
import json
import math
import os
import pickle
import platform
import re
import struct
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from shutil import copy, copytree
from typing import Any, NoReturn

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import torch
from benchmarks.fuzz import CORPUS, workbook
from PIL import Image

from equipoise import GAN
from equipoise.data import readers
from equipoise.errors import EquipoiseError, EquipoiseWarning, RequestError
from equipoise.metrics.result import MetricResult
from equipoise.runs.checkpoint import checkpoints
from equipoise.runs.serialization import checked_line, pack, read_json, unpack, write_json
from tests.helpers import TINY_OPTIONS, Answer

pytestmark = pytest.mark.usefixtures("brief_reports")

Command = Callable[..., Answer]
POINTS = np.random.default_rng(0).standard_normal((60, 2))
CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
ESCAPES = "\x1b[31mred\x07\x9b\u202e"
POSTSCRIPT = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n%%EndComments\nshowpage\n%%EOF\n"


class Runs:
    """What a pickle could do."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, ("touch ran",)


RUNS = pickle.dumps(Runs())
OBJECTS = io.BytesIO()
np.save(OBJECTS, np.array([Runs(), 1], object), allow_pickle=True)
# Both ask a program, once: torch for the processor, Matplotlib for fonts.
platform.processor()
import_module("matplotlib.font_manager")


def one_line(answer: Answer) -> str:
    """The message of a refusal, which is one clean line."""
    assert answer.status in (1, 2), (answer.status, answer.out)
    assert answer.err.count("\n") == 1, answer.err
    assert not CONTROL.search(answer.err), answer.err
    assert len(answer.err) < 1200
    return answer.err


def header(text: str, version: bytes = b"\x01\x00") -> bytes:
    """A .npy file with this header and no numbers."""
    raw = text.encode() + b" " * 64 + b"\n"
    return (
        b"\x93NUMPY"
        + version
        + len(raw).to_bytes(2 if version == b"\x01\x00" else 4, "little")
        + raw
    )


def described(shape: str, dtype: str = "'<f8'") -> bytes:
    return header(f"{{'descr': {dtype}, 'fortran_order': False, 'shape': {shape}}}")


def zipped(path: Path, entries: dict[str, bytes], **how: Any) -> None:
    with zipfile.ZipFile(path, "w", **how) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)


def npy(array: Any) -> bytes:
    raw = io.BytesIO()
    np.save(raw, array)
    return raw.getvalue()


def encrypted(path: Path, name: str, content: bytes) -> None:
    """An archive whose entry says that it is encrypted."""
    zipped(path, {name: content})
    raw = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        raw[raw.index(signature) + offset] |= 1
    path.write_bytes(raw)


FILES: dict[str, tuple[Callable[[Path], Any], str]] = {
    "objects.npy": (lambda p: p.write_bytes(OBJECTS.getvalue()), "can run code when read"),
    "pickle.npy": (lambda p: p.write_bytes(RUNS), "can run code when read"),
    "objects.npz": (lambda p: zipped(p, {"x.npy": OBJECTS.getvalue()}), "can run code when read"),
    "model.pt": (lambda p: p.write_bytes(RUNS), "can hold Python objects, which can run code"),
    "model.joblib": (lambda p: p.write_bytes(RUNS), "can hold Python objects, which can run code"),
    "terabytes.npy": (
        lambda p: p.write_bytes(described("(10**12,)".replace("10**12", "1" + "0" * 12))),
        "is cut off, or damaged",
    ),
    "negative.npy": (lambda p: p.write_bytes(described("(-5,)")), "could not be read as .npy"),
    "huge.npy": (lambda p: p.write_bytes(described(f"({'9' * 50},)")), ""),
    "boolean.npy": (lambda p: p.write_bytes(described("(True, 10)")), ""),
    "deep.npy": (lambda p: p.write_bytes(header("a." * 4000 + "a")), "could not be read as .npy"),
    "brackets.npy": (lambda p: p.write_bytes(header("(" * 9000)), "could not be read as .npy"),
    "minus.npy": (lambda p: p.write_bytes(header("-" * 9000 + "1")), "could not be read as .npy"),
    "code.npy": (
        lambda p: p.write_bytes(header("__import__('os').system('touch ran')")),
        "could not be read as .npy",
    ),
    "version.npy": (
        lambda p: p.write_bytes(header("{}", b"\x09\x09")),
        "could not be read as .npy",
    ),
    "structured.npy": (
        lambda p: np.save(p, np.zeros(9, [("a", float), ("b", int)])),
        "give numbers",
    ),
    "encrypted.npz": (
        lambda p: encrypted(p, "x.npy", npy(POINTS)),
        "could not be read as .npz",
    ),
    "method.npz": (
        lambda p: (
            zipped(p, {"x.npy": npy(POINTS)}, compression=zipfile.ZIP_LZMA)
            or damage(p, b"PK\x01\x02", 10)
        ),
        "could not be read",
    ),
    "slip.npz": (
        lambda p: zipped(p, {"../../x.npy": npy(POINTS), "y/../../z.npy": npy(POINTS)}),
        "holds the arrays",
    ),
    "many.npz": (
        lambda p: zipped(p, {f"{i}.npy": b"" for i in range(3000)}),
        "and 2,995 more: name the samples x",
    ),
    "scalar.npz": (lambda p: np.savez(p, x=POINTS, y=np.array(3)), "give one label per sample"),
    "escapes.npz": (
        lambda p: zipped(p, {f"{ESCAPES}.npy": npy(POINTS), "b.npy": npy(POINTS)}),
        r"\\x1b\[31mred",
    ),
    "long.csv": (lambda p: p.write_text("a\n" + "z" * 10**6 + "\n"), "nothing to learn"),
    "wide.csv": (
        lambda p: p.write_text("," * 20_000 + "\n1\n"),
        "has 20,001 columns: give at most 10,000",
    ),
    "twice.csv": (lambda p: p.write_text("a,a,b\n" + "1,2,3\n" * 9), "several columns named 'a'"),
    "pickle.csv": (lambda p: p.write_bytes(RUNS), ""),
    "zip.csv": (lambda p: zipped(p, {"a.csv": b"1,2\n" * 9}), ""),
    "nul.csv": (lambda p: p.write_bytes(b"a,b\n\x00,1\n2,3\n"), ""),
    "cut.parquet": (
        lambda p: parquet(p, b"{}") or p.write_bytes(p.read_bytes()[:-20]),
        "could not be read as .parquet",
    ),
    "nested.parquet": (
        lambda p: pd.DataFrame({"a": [[0] * 10**5]}).to_parquet(p),
        "holds list<.*, which is not one value a row",
    ),
    "rows.parquet": (
        lambda p: copy(next(CORPUS.glob("parquet/oom-*")), p),
        "2 rows, and 57,018,349,182 in its parts: it is damaged",
    ),
    "cut.feather": (
        lambda p: feather(p) or p.write_bytes(p.read_bytes()[:200]),
        "could not be read as .feather",
    ),
    "old.feather": (lambda p: p.write_bytes(b"FEA1" * 99), "could not be read as .feather"),
    "nested.feather": (
        lambda p: pd.DataFrame({"a": [[0] * 10**5]}).to_feather(p),
        "column 'a' holds list<.*, which is not one value a row",
    ),
    "swollen.feather": (
        lambda p: feather(p, unpacked=2**50),
        "1048576.0 GiB of memory, and .* are free",
    ),
    "negative.feather": (lambda p: feather(p, unpacked=-9), "could not be read as .feather"),
    "pickle.feather": (lambda p: p.write_bytes(RUNS), "could not be read as .feather"),
    "cut.csv.gz": (
        lambda p: p.write_bytes(gzip.compress(b"a,b\n" + b"1,2\n" * 99)[:-9]),
        "could not be read as .csv.gz",
    ),
    "plain.csv.gz": (lambda p: p.write_text("a,b\n1,2\n"), "could not be read as .csv.gz"),
    "plain.tsv.zst": (lambda p: p.write_text("a\tb\n1\t2\n"), "could not be read as .tsv.zst"),
    "pickle.csv.zst": (lambda p: p.write_bytes(RUNS), "could not be read as .csv.zst"),
    "cut.zip": (
        lambda p: (
            zipped(p, {"a.csv": b"a,b\n" + b"1,2\n" * 99}) or p.write_bytes(p.read_bytes()[:-9])
        ),
        "could not be read as .zip",
    ),
    "slip.zip": (
        lambda p: zipped(p, {"../../a.csv": b"a,b\n1,x\n", "/etc/b.csv": b"1"}),
        r"holds 2 tables \('../../a.csv', '/etc/b.csv'\)",
    ),
    "escapes.zip": (
        lambda p: zipped(p, {f"{ESCAPES}.csv": b"a,b\n1,2\n1\n3,4\n"}),
        r"'\\x1b\[31mred.*line 3 has 1 cell",
    ),
    "encrypted.zip": (lambda p: encrypted(p, "a.csv", b"a,b\n1,2\n"), "is encrypted"),
    "pickle.zip": (lambda p: zipped(p, {"a.pkl": RUNS}), "holds no table of text"),
    "inside.zip": (lambda p: zipped(p, {"a.zip": b"PK"}), "holds no table of text"),
    "deep.jsonl": (lambda p: p.write_text('{"a": ' * 10**5), "thousands of lists or objects"),
    "escapes.jsonl": (
        lambda p: p.write_text(json.dumps({ESCAPES: [1]})),
        r"has a list for '\\x1b\[31mred",
    ),
    "pickle.jsonl": (lambda p: p.write_bytes(RUNS), "could not be read|is not JSON"),
    "half.jsonl": (lambda p: p.write_text('{"\\ud800": 1}'), "half of a character"),
    "pickle.xlsx": (lambda p: p.write_bytes(RUNS), "could not be read as .xlsx"),
    "cut.xlsx": (
        lambda p: p.write_bytes(workbook()[:-40]),
        "could not be read as .xlsx",
    ),
    "parts.xlsx": (lambda p: zipped(p, {"a.xml": b"<a/>"}), "could not be read as .xlsx|openpyxl"),
    "entities.xlsx": (
        lambda p: zipped(p, {"xl/a.xml": b'<!DOCTYPE a [<!ENTITY b "b">]><a>&b;</a>'}),
        "declares XML entities",
    ),
    "entities16.xlsx": (
        lambda p: zipped(
            p,
            {"a.rels": '<?xml version="1.0"?><!DOCTYPE a SYSTEM "file:///b"><a/>'.encode("utf-16")},
        ),
        "declares XML entities",
    ),
    "rows.xlsx": (
        lambda p: p.write_bytes(workbook().replace(b'row r="3"', b'row r="9"')),
        "could not be read as .xlsx: Bad CRC-32",
    ),
    "twice.tsv": (lambda p: p.write_text("a\ta\n" + "1\t2\n" * 9), "several columns named 'a'"),
    "pipe.npy": (os.mkfifo, "is neither a plain file nor a folder"),
    "device.npy": (lambda p: p.symlink_to("/dev/zero"), "is neither a plain file nor a folder"),
    "round.npy": (lambda p: p.symlink_to(p), "is neither a plain file nor a folder"),
    "pipe.csv": (os.mkfifo, "is neither a plain file nor a folder"),
    f"{ESCAPES}.xyz": (Path.touch, r"\\x1b\[31mred"),
    "line\nbreak.xyz": (Path.touch, r"line\\nbreak"),
    "undecodable\udcff.xyz": (Path.touch, r"undecodable\\udcff"),
}


def damage(path: Path, signature: bytes, offset: int) -> None:
    """Another number for how an archive's entries are packed."""
    raw = bytearray(path.read_bytes())
    raw[raw.index(signature) + offset] = 99
    path.write_bytes(raw)


def parquet(path: Path, metadata: bytes) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.table({"a": [1.0, 2.0], "b": [2.0, 5.0]})
    pq.write_table(table.replace_schema_metadata({b"pandas": metadata}), path)


def feather(path: Path, unpacked: int | None = None) -> None:
    """A Feather file; with `unpacked`, one whose buffer claims so many bytes."""
    pd.DataFrame({"a": np.zeros(1000)}).to_feather(path, compression="lz4")
    if unpacked is not None:
        size = (8000).to_bytes(8, "little")
        raw = path.read_bytes()
        assert raw.count(size) == 1
        path.write_bytes(raw.replace(size, unpacked.to_bytes(8, "little", signed=True)))


@pytest.fixture(autouse=True)
def nothing_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*given: Any, **_: Any) -> NoReturn:
        raise AssertionError(f"a program was started: {given}")

    monkeypatch.setattr(subprocess, "Popen", refuse)
    monkeypatch.setattr(os, "system", refuse)


def test_names_and_cells_that_were_made_to_do_harm_are_printed_without_harm(
    here: Path, command: Command
) -> None:
    frame = pd.DataFrame(
        {ESCAPES: np.linspace(0, 1, 60), "b": ["=cmd|' /C calc'!A0", ESCAPES, "z" * 10**5] * 20}
    )
    frame.to_parquet(here / "harm.parquet")
    answer = command("train", "harm.parquet", "--out", "run", *TINY_OPTIONS)
    assert answer.status == 0
    assert "\x1b" not in answer.out + answer.err
    assert max(map(len, answer.out.splitlines())) < 500


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_was_made_to_do_harm_gets_one_line_and_leaves_nothing(
    name: str, here: Path, command: Command
) -> None:
    make, message = FILES[name]
    make(here / name)
    assert re.search(message, one_line(command("train", name, "--out", "run", *TINY_OPTIONS)))
    assert [path.name for path in here.iterdir()] == [name]


def test_an_archive_that_unpacks_to_more_than_the_memory_is_refused_by_what_it_says(
    here: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("equipoise.data.readers.base.available_memory", lambda: 2**20)
    np.savez_compressed(here / "zeros.npz", x=np.zeros((10**5, 2)))
    frame = pd.DataFrame({"a": np.zeros(10**5), "b": np.ones(10**5)})
    frame.to_feather(here / "zeros.feather", compression="zstd")
    frame.to_csv(here / "zeros.csv.gz", index=False)
    text = frame.to_csv(index=False, sep="\t").encode()
    (here / "zeros.tsv.zst").write_bytes(pa.compress(text, "zstd", asbytes=True))
    (here / "digits.csv").write_bytes(b"1,2,3,4\n" * 2**15)  # 8 bytes in memory for each 2
    zipped(here / "zeros.zip", {"a.csv": b"0,1\n" * 10**5}, compression=zipfile.ZIP_DEFLATED)
    (here / "zeros.jsonl.gz").write_bytes(gzip.compress(b'{"a": 0}\n' * 10**5))
    (here / "zeros.jsonl").write_bytes(b'{"a":0}\n' * 2**15)
    for path in here.iterdir():
        assert path.stat().st_size < 2**19
        assert "of memory, and 0.0 GiB are free" in one_line(
            command("train", path.name, *TINY_OPTIONS)
        )


def test_a_compressed_table_is_bounded_where_free_memory_is_not_known(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("equipoise.data.readers.base.available_memory", lambda: None)
    monkeypatch.setattr("equipoise.data.readers.compression.MAX_UNPACKED", 2**16)
    (here / "zeros.csv.gz").write_bytes(gzip.compress(b"0,1\n" * 2**16))
    with pytest.raises(RequestError, match="unpacked: give fewer samples at once"):
        readers.read(here / "zeros.csv.gz")


def test_texts_of_a_table_are_unpacked_only_where_memory_has_room_for_all(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = here / "long.parquet"
    kinds = [f"{i % 2}" * 10_000 for i in range(20_000)]
    pd.DataFrame({"a": np.arange(20_000.0), "kind": kinds}).to_parquet(path)
    assert path.stat().st_size < 2**19
    monkeypatch.setattr("equipoise.data.readers.base.available_memory", lambda: 2**28)
    with pytest.raises(RequestError, match=r"takes 0\.2 GiB of memory, and 0\.2 GiB are free"):
        readers.read(path)
    monkeypatch.setattr("equipoise.data.readers.base.available_memory", lambda: 2**29)
    frame = readers.read(path).values
    assert isinstance(frame, pd.DataFrame)
    assert frame["kind"].tolist() == kinds


@pytest.mark.parametrize(
    "metadata",
    [
        b"[" * 100_000,
        b'{"index_columns": ["zzz"], "columns": [], "column_indexes": []}',
        b"[]",
    ],
)
def test_what_pandas_noted_in_a_parquet_file_is_not_read(metadata: bytes, here: Path) -> None:
    parquet(here / "x.parquet", metadata)
    frame = readers.read(here / "x.parquet").values
    assert isinstance(frame, pd.DataFrame)
    assert frame.to_dict("list") == {"a": [1.0, 2.0], "b": [2.0, 5.0]}


@pytest.mark.parametrize("name", ["endless.csv", "run/generator.safetensors"])
def test_files_of_more_than_half_of_the_memory_are_not_read(
    name: str, run: Path, here: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("data.readers.base", "utils.atomic_io"):
        monkeypatch.setattr(f"equipoise.{module}.available_memory", lambda: 2**25)
    assert run.is_dir()
    with (here / name).open("wb") as file:
        file.truncate(2**25)
    asked = ("sample", "run") if name.startswith("run") else ("train", name)
    assert "are free" in one_line(command(*asked))


def png(path: Path, width: int, height: int) -> None:
    """An image that says that it has so many pixels."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return (
            len(content).to_bytes(4, "big")
            + kind
            + content
            + zlib.crc32(kind + content).to_bytes(4, "big")
        )

    about = width.to_bytes(4, "big") + height.to_bytes(4, "big") + b"\x08\x00\x00\x00\x00"
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", about)
        + chunk(b"IDAT", zlib.compress(b"\x00" * 99))
        + chunk(b"IEND", b"")
    )


def bmp(width: int, height: int) -> bytes:
    """A bitmap that says that it has so many pixels."""
    about = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 24, 0, 0, 0, 0, 0, 0)
    return b"BM" + struct.pack("<IHHI", 54, 0, 0, 54) + about


def test_images_that_were_made_to_do_harm_are_left_out_and_named(
    here: Path, command: Command, image: Any
) -> None:
    folder = here / "folder"
    for i in range(60):
        image(folder / f"{i}.png", seed=i)
    (folder / "script.png").write_bytes(POSTSCRIPT)
    Image.new("RGB", (8, 8)).save(folder / "tiff.png", format="TIFF")  # which is read
    (folder / "large.ppm").write_bytes(b"P6 40000 25000 255\n")
    (folder / "large.gif").write_bytes(b"GIF89a" + b"\xff" * 4 + b"\0\0\0,\0\0\0\0" + b"\xff" * 4)
    (folder / "large.bmp").write_bytes(bmp(40_000, 25_000))
    # Its tags name the same megabyte a thousand times.
    (folder / "tags.tif").write_bytes(
        b"II*\0"
        + struct.pack("<IH", 8, 1000)
        + struct.pack("<HHII", 700, 1, 2**20, 8) * 1000
        + bytes(2**20)
    )
    # One pixel, in a tile of many.
    tile = [(256, 1), (257, 1), (322, 2**15), (323, 2**15), (324, 8), (325, 8), (259, 5)]
    (folder / "tile.tif").write_bytes(
        b"II*\0"
        + struct.pack("<IH", 8, len(tile))
        + b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tile)
        + bytes(8)
    )
    (folder / "cut.avif").write_bytes(b"\0\0\0\x20ftypavif" + bytes(99))
    (folder / "cut.heic").write_bytes(b"\0\0\0\x20ftypheic" + bytes(99))
    (folder / "ghost.gif").write_bytes(POSTSCRIPT)
    os.mkfifo(folder / "dataset.json")
    png(folder / "large.png", 40_000, 25_000)
    (folder / "text.jpg").write_text("<svg/>")
    (folder / "empty.webp").touch()
    os.mkfifo(folder / "pipe.png")
    (folder / "round.png").symlink_to(folder / "round.png")
    (folder / "zero.png").symlink_to("/dev/zero")
    (folder / "again").symlink_to(folder)
    (folder / f"{ESCAPES}.png").write_bytes(b"no image")
    (folder / "bad\udcff.png").write_bytes(b"no image")
    answer = command("train", "folder", "--out", "run", *TINY_OPTIONS)
    assert answer.status == 0, answer.err
    assert not CONTROL.search(answer.out)
    left_out = (here / "run/left_out.txt").read_text()
    names = {line.partition("\t")[0] for line in left_out.splitlines()}
    assert len(names) == 18
    assert names >= {"script.png", "large.ppm", "large.gif", "large.bmp", "tags.tif", "tile.tif"}
    assert "18 of 79 files left out" in answer.out
    assert not CONTROL.search(left_out.replace("\t", "").replace("\n", ""))


def test_images_that_are_links_are_read_and_nothing_is_written_through_them(
    here: Path, command: Command, image: Any
) -> None:
    for i in range(60):
        image(here / f"elsewhere/{i}.png", seed=i)
    (here / "folder").mkdir()
    for path in (here / "elsewhere").iterdir():
        (here / "folder" / path.name).symlink_to(path)
    before = {
        path.name: (path.read_bytes(), path.stat().st_mtime_ns)
        for path in (here / "elsewhere").iterdir()
    }
    answer = command("train", "folder", "--out", "run", *TINY_OPTIONS)
    assert answer.status == 0, answer.err
    assert {
        path.name: (path.read_bytes(), path.stat().st_mtime_ns)
        for path in (here / "elsewhere").iterdir()
    } == before


@pytest.fixture
def run(trained: Path, here: Path) -> Path:
    """A copy of a run, to spoil."""
    copytree(trained, here / "run")
    return here / "run"


def resigned(path: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    """Change a JSON file, and make its checksum fit."""
    content = read_json(path)
    change(content)
    write_json(path, content)


def repacked(path: Path, change: Callable[[dict[str, Any], dict[str, Any]], Any]) -> None:
    """Change tensors and what describes them, and make the checksum fit."""
    tensors, metadata = unpack(path)
    change(tensors, metadata)
    path.write_bytes(pack(tensors, metadata))


ODD: tuple[Any, ...] = (
    None,
    -1,
    10**18,
    "text",
    [],
    {},
    [[1]],
    {"a": {"b": 1}},
    True,
    1e308,
    float("nan"),
    ESCAPES,
)


def odd(fields: dict[str, Any], tries: int) -> list[tuple[str | None, Any]]:
    """Each field, and None for all of them, with so many of the odd values, every one
    of which is tried with some field."""
    return [
        (name, ODD[(i * tries + k) % len(ODD)])
        for i, name in enumerate([*fields, None])
        for k in range(tries)
    ]


def resume(command: Command) -> Answer:
    return command("train", "gaussian", "--out", "run", "--resume", "--samples", "64")


def prepare() -> str:
    """All that a resumed training does before its first step; why it was refused, in
    one clean line, or nothing."""
    try:
        training = GAN(samples=64).trainer("gaussian", out="run", resume=True, warn=lambda _: None)
    except EquipoiseError as error:
        message = str(error)
        assert "\n" not in message
        assert not CONTROL.search(message)
        return message
    assert training.directory is not None
    training.directory.unlock()
    return ""


def clean(answer: Answer) -> None:
    """Done, or refused in one line; never a traceback, which `command` lets through."""
    assert not CONTROL.search(answer.out + answer.err)
    if answer.status:
        one_line(answer)


@pytest.mark.parametrize("part", ["recipe", "run", "data", "machine", "versions", "requested"])
def test_a_config_of_odd_values_is_refused_or_means_nothing(
    part: str, run: Path, command: Command
) -> None:
    whole = (run / "config.json").read_bytes()
    for name, value in odd(read_json(run / "config.json")[part], tries=2):
        (run / "config.json").write_bytes(whole)
        resigned(
            run / "config.json",
            lambda c, n=name, v=value: c.update({part: v}) if n is None else c[part].update({n: v}),
        )
        clean(command("sample", "run", "-n", "2"))
        prepare()


ODD_CONFIGS: list[Callable[[dict[str, Any]], Any]] = [
    lambda c: c.update(run={}),
    lambda c: c["run"].pop("label_column"),
    lambda c: c["data"].pop("limits"),
    lambda c: c["data"].pop("origin"),
    lambda c: c["data"].pop("labels_in_python"),
    lambda c: c["data"].update(labels_in_python=True),
    lambda c: c["data"].update(labels_in_python=[5]),
    lambda c: c["data"].update(distribution={}),
    lambda c: c["data"].update(schema=None),
    lambda c: c["data"].update(schema=5),
    lambda c: c.update(command=5, versions=[], equipoise=None, transform=1),
    lambda c: c.update(requested={"recipe": {"gamma": None}, "run": []}),
    lambda c: c.update(init_from=5),
    lambda c: c.update(init_from={"run": "\x1b[2J", "generator": "0"}),
    lambda c: c.update(
        init_from={"run": None, "generator": "0"},
        transform=[{"name": "dequantization"}, {"name": "scaling", "kind": "unit"}],
    ),
    lambda c: c.update(init_from={"run": None, "generator": "0"}, transform=5),
]


@pytest.mark.parametrize("number", range(len(ODD_CONFIGS)))
def test_a_config_with_missing_or_odd_entries_is_evaluated_and_drawn_or_refused(
    number: int, run: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "equipoise.report.report.evaluate_samples",
        lambda *_: [MetricResult("wasserstein_1", 0.1, 0.1, "lower", "of none")],
    )
    resigned(run / "config.json", ODD_CONFIGS[number])
    clean(command("evaluate", "run"))
    clean(command("compare", "run", "--out", "page.html"))
    clean(command("sample", "run", "--out", "a.png"))
    prepare()


def test_an_evaluation_warns_of_damaged_lines_of_the_log(
    run: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "equipoise.report.report.evaluate_samples",
        lambda *_: [MetricResult("wasserstein_1", 0.1, 0.1, "lower", "of none")],
    )
    damaged = bytearray((run / "log.jsonl").read_bytes())
    damaged[5] ^= 1
    (run / "log.jsonl").write_bytes(damaged)
    with pytest.warns(EquipoiseWarning, match=r"log.jsonl is damaged: 1 of \d+ lines are ignored"):
        command("evaluate", "run")


def test_a_recipe_in_a_config_that_would_never_end_or_fit_is_refused(run: Path) -> None:
    for name, value in (
        ("discriminator_steps", 10**9),
        ("batch_size", 10**9),
        ("width", 10**9),
        ("latent_dim", 10**9),
        ("clusters", 10**9),
    ):
        whole = (run / "config.json").read_bytes()
        resigned(run / "config.json", lambda c, n=name, v=value: c["recipe"].update({n: v}))
        assert re.search(r"is not what was written|GiB are free|GiB of memory", prepare())
        (run / "config.json").write_bytes(whole)


def test_a_generator_whose_description_is_odd_is_refused_before_memory_is_taken(
    run: Path, command: Command
) -> None:
    path = run / "generator.safetensors"
    whole = path.read_bytes()
    described = unpack(path)[1]
    cases = [
        (part, name, value)
        for part in ("recipe", "schema")
        for name, value in odd(described[part], tries=3)
    ]
    cases.append(("recipe", "per_channel_clusters", True))  # of numbers, which have none
    for part, name, value in [
        *cases,
        *((name, None, value) for name, value in odd(described, tries=3) if name is not None),
    ]:
        path.write_bytes(whole)
        repacked(
            path,
            lambda _, m, p=part, n=name, v=value: (
                m.update({p: v}) if n is None else m[p].update({n: v})
            ),
        )
        clean(command("sample", "run", "-n", "2"))
    for part, name, value in (
        ("recipe", "width", 200_000),
        ("recipe", "latent_dim", 10**8),
        ("schema", "shape", [10**6]),
        ("schema", "dtype", "object"),
        ("schema", "dtype", "M8[s]"),
        ("schema", "layout", "NHWC"),
        ("schema", "classes", [{"evil": 1}]),
        ("schema", "classes", [{"bytes": "zz"}]),
        ("schema", "classes", [{"float": "zz"}]),
        ("schema", "levels", []),
        ("schema", "levels", [[1.0, 0.0]]),
        ("schema", "levels", [[float("nan")]]),
        ("schema", "levels", [None, None]),
    ):
        path.write_bytes(whole)
        repacked(path, lambda _, m, p=part, n=name, v=value: m[p].update({n: v}))
        assert "its tensors do not fit its metadata" in one_line(
            command("sample", "run", "-n", "2")
        )


SCALING = {"name": "scaling", "kind": "standard", "limits": None}
ROUNDING = {"name": "dequantization"}
ODD_TRANSFORMS: list[Any] = [
    None,
    5,
    {},
    [],
    [5],
    [ROUNDING],
    [SCALING, ROUNDING],
    [ROUNDING, SCALING, SCALING],
    [ROUNDING, {**SCALING, "limits": [0.0, 1.0]}],
    [ROUNDING, {**SCALING, "kind": 5}],
    [ROUNDING, {"name": "scaling"}],
    [ROUNDING, {"name": ["scaling"]}],
    [ROUNDING, SCALING, {"name": "whitening", "components": 60_000, "labels": 1}],
    [ROUNDING, SCALING, {"name": "whitening", "components": 2**62, "labels": 1}],
    [ROUNDING, SCALING, {"name": "whitening", "components": -1, "labels": 1}],
    [ROUNDING, SCALING, {"name": "whitening", "components": True, "labels": 1}],
    [ROUNDING, SCALING, {"name": "image_clusters", "clusters": 2, "labels": 1}],
    [ROUNDING, SCALING, {"name": "channel_clusters", "clusters": 2}],
    [ROUNDING, SCALING, {"name": "../../etc"}],
]


@pytest.mark.parametrize("number", range(len(ODD_TRANSFORMS)))
def test_a_generator_of_odd_transforms_is_refused_before_memory_is_taken(
    number: int, run: Path, command: Command
) -> None:
    repacked(run / "generator.safetensors", lambda _, m: m.update(transform=ODD_TRANSFORMS[number]))
    assert "its tensors do not fit its metadata" in one_line(command("sample", "run", "-n", "2"))


@pytest.mark.parametrize("name", ["shift", "scale"])
@pytest.mark.parametrize("value", [torch.tensor([torch.inf]), torch.tensor([1.0, 2.0])])
def test_a_generator_of_an_odd_scaling_is_refused(
    name: str, value: torch.Tensor, run: Path, command: Command
) -> None:
    repacked(
        run / "generator.safetensors",
        lambda t, _: t.update({f"transform.scaling.{name}": value.double()}),
    )
    assert "its tensors do not fit its metadata" in one_line(command("sample", "run", "-n", "2"))


@pytest.mark.parametrize(
    "change",
    [
        lambda t, _: t.pop(next(iter(t))),
        lambda t, _: t.update(surplus=torch.ones(2)),
        lambda t, _: t.update({next(iter(t)): torch.ones(7, 7)}),
        lambda t, _: t.update({name: value.to(torch.complex64) for name, value in t.items()}),
        lambda t, _: t.update({name: value.to(torch.int8) for name, value in t.items()}),
    ],
)
def test_a_generator_of_other_weights_is_refused(change: Any, run: Path, command: Command) -> None:
    repacked(run / "generator.safetensors", change)
    assert "its tensors do not fit its metadata: its weight" in one_line(
        command("sample", "run", "-n", "2")
    )


def moments(shape: tuple[int, ...]) -> Callable[[dict[str, Any], Any], None]:
    def change(tensors: dict[str, Any], _: Any) -> None:
        tensors.update(
            {
                name: torch.ones(shape)
                for name in tensors
                if name.endswith(("exp_avg", "exp_avg_sq"))
            }
        )

    return change


@pytest.mark.parametrize(
    "change",
    [
        *(moments(shape) for shape in ((1,), (7, 7), (4000,), ())),
        lambda t, _: t.pop(next(name for name in t if name.endswith("exp_avg"))),
        lambda t, _: t.update({"optimizer_g.99.step": torch.tensor(1.0)}),
        lambda t, _: t.update({"optimizer_g.x": torch.tensor(1.0)}),
        lambda t, _: t.update({"randomness.latents": torch.ones(5056)}),
        lambda t, _: t.pop(next(name for name in t if name.startswith("discriminator"))),
        *(
            lambda _, m, n=name, v=value: m["state"].update({n: v})
            for name in ("samples_seen", "seen_before", "best", "position", "attempts", "horizon")
            for value in ("x", [1], -(10**30))
        ),
        lambda _, m: m["state"].clear(),
        lambda _, m: m["state"].update({"position": {"epoch": "a", "cursor": 0}}),
        lambda _, m: m["state"].update({"position": {"epoch": 0, "cursor": 10**9}}),
        lambda _, m: m["state"].update({"best": {"checkpoint": "../../evil", "metric": 0.1}}),
    ],
)
def test_a_checkpoint_of_another_state_is_refused_and_corrupts_nothing(
    change: Any, run: Path
) -> None:
    repacked(checkpoints(run / "checkpoints")[0], change)
    assert "cannot be resumed: its checkpoint does not fit its config" in prepare()


def test_a_checkpoint_without_a_state_is_passed_over(run: Path, command: Command) -> None:
    for path in checkpoints(run / "checkpoints"):
        repacked(path, lambda _, m: m.update(state=[1]))
    answer = resume(command)
    assert answer.status == 1
    assert "holds no state of a training; using the checkpoint before it" in answer.err
    assert "checkpoints are damaged" in answer.err.splitlines()[-1]


@pytest.mark.parametrize("folder", ["checkpoints", "samples"])
def test_folders_of_a_run_that_are_elsewhere_are_refused_and_nothing_there_is_touched(
    folder: str, run: Path, here: Path, command: Command
) -> None:
    (run / folder).rename(here / "elsewhere")
    for i in range(7):
        (here / "elsewhere" / f"00000000{i}.safetensors").write_text("precious")
    (here / "elsewhere" / ".x.123-0123abcd").write_text("precious")
    before = {path.name: path.read_bytes() for path in (here / "elsewhere").iterdir()}
    (run / folder).symlink_to(here / "elsewhere")
    assert "is a link to another folder" in one_line(resume(command))
    assert {path.name: path.read_bytes() for path in (here / "elsewhere").iterdir()} == before


def test_files_of_a_run_that_are_links_are_replaced_and_what_they_lead_to_is_not_touched(
    run: Path, here: Path, command: Command
) -> None:
    names = [
        "config.json",
        "log.jsonl",
        "generator.safetensors",
        "report.json",
        "report.html",
        "samples.png",
    ]
    contents = {}
    for name in names:
        contents[name] = (run / name).read_bytes()
        (here / f"outside-{name}").write_bytes(contents[name])
        (run / name).unlink()
        (run / name).symlink_to(here / f"outside-{name}")
    assert resume(command).status == 0
    assert {name: (here / f"outside-{name}").read_bytes() for name in names} == contents


def test_a_lock_that_is_a_link_empties_no_other_file(run: Path, here: Path) -> None:
    (here / "outside").write_text("precious")
    (run / ".lock").unlink()
    (run / ".lock").symlink_to(here / "outside")
    prepare()
    assert (here / "outside").read_text() == "precious"


@pytest.mark.parametrize("kind", ["pipe", "device", "folder", "sparse"])
@pytest.mark.parametrize(
    ("name", "reader"),
    [
        ("config.json", "sample"),
        ("generator.safetensors", "sample"),
        ("report.json", "compare"),
        ("log.jsonl", ""),
        ("checkpoints/999999999.safetensors", ""),
    ],
)
def test_pipes_devices_and_endless_files_in_a_run_hang_nothing_and_fill_no_memory(
    name: str, reader: str, kind: str, run: Path, command: Command
) -> None:
    odd_file(run / name, kind)
    if reader:
        clean(command(reader, "run"))
    prepare()


@pytest.mark.parametrize("kind", ["pipe", "sparse"])
def test_an_evaluation_does_without_what_cannot_be_read(
    kind: str, run: Path, command: Command
) -> None:
    for name in ("checkpoints/999999999.safetensors", "samples/999999999.png"):
        odd_file(run / name, kind)
    png(run / "samples" / "000000001.png", 100_000, 100_000)
    (run / "samples" / "000000002.png").write_bytes(POSTSCRIPT)
    clean(command("evaluate", "run"))


def odd_file(path: Path, kind: str) -> None:
    """What is no file to read, or has no end, in the place of one."""
    path.unlink(missing_ok=True)
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        path.symlink_to("/dev/zero")
    elif kind == "folder":
        path.mkdir()
    else:
        with path.open("wb") as file:
            file.truncate(2**36)


ODD_READINGS = (
    None,
    "x",
    [],
    {},
    [1],
    {"a": None},
    10**400,
    1e308,
    math.inf,
    -math.inf,
    {"wasserstein_1": math.inf},
    True,
)


@pytest.mark.parametrize(
    "names",
    [
        ("samples_seen", "seconds", "discriminator_loss", "balance"),
        ("metrics", "baselines", "trouble"),
        ("diverged",),
    ],
)
def test_log_lines_of_odd_values_are_left_out(
    names: tuple[str, ...], run: Path, command: Command
) -> None:
    line = {
        "samples_seen": 16,
        "seconds": 0.1,
        "discriminator_loss": 1.0,
        "generator_loss": 1.0,
        "balance": 0.5,
    }
    with (run / "log.jsonl").open("a") as file:
        for name in names:
            for value in ODD_READINGS:
                odd_line = checked_line({**line, name: value})
                file.write(odd_line + checked_line({**line, "metrics": {"wasserstein_1": 0.5}}))
    clean(command("evaluate", "run"))
    prepare()


def test_reports_of_odd_values_are_refused(run: Path, command: Command) -> None:
    assert command("evaluate", "run").status == 0
    whole = (run / "report.json").read_bytes()
    changes: list[Callable[[dict[str, Any]], Any]] = [
        *(
            lambda c, n=name, v=value: c.update({n: v})
            for name in ("metrics", "verdict", "samples_seen", "data")
            for value in (None, [], {}, 1.5, [[1]])
        ),
        *(
            lambda c, n=name, v=value: c["metrics"][0].update({n: v})
            for name in ("name", "value", "low")
            for value in ([], {}, "1")
        ),
        *(lambda c, n=name: c["verdict"].update({n: [1]}) for name in ("name", "sentence", "sure")),
    ]
    for change in changes:
        (run / "report.json").write_bytes(whole)
        resigned(run / "report.json", change)
        clean(command("compare", "run"))


def test_names_from_files_reach_no_terminal_raw_and_no_page_as_markup(
    run: Path, here: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert command("evaluate", "run").status == 0
    evil = f"<script>alert(1)</script>[red]x[/nope]{ESCAPES}"
    resigned(
        run / "report.json",
        lambda c: (
            c.update(data=evil),
            c["metrics"][0].update(key=evil),
            c["verdict"].update(sentence=evil),
        ),
    )
    answer = command("compare", "run", "--out", "page.html")
    assert answer.status == 0
    assert not CONTROL.search(answer.out)
    assert "[red]x[ nope]" in answer.out
    assert "<script>alert(1)" not in (here / "page.html").read_text()
    name = f"<script>alert(1)</script>{ESCAPES}"
    pd.DataFrame({name: POINTS[:, 0], "b": POINTS[:, 1]}).to_csv(
        here / f"{ESCAPES}.csv", index=False
    )
    answer = command("train", f"{ESCAPES}.csv", "--out", "odd", *TINY_OPTIONS)
    assert answer.status == 0, answer.err
    assert not CONTROL.search(answer.out + answer.err)
    assert "<script>alert(1)" not in (here / "odd" / "report.html").read_text()
    assert not CONTROL.search(command("evaluate", "odd", "--json").out)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert not CONTROL.search(command("sample", "odd", "-n", "2").out)


def test_names_that_no_image_and_no_page_can_be_written_with_end_no_training(
    here: Path, command: Command
) -> None:
    names = ["$\\frac{$", "price $ per $", "a\nb", "z" * 5000]
    for name, columns in (
        ("$\\sqrt$.csv", names),
        ("half\udcff.csv", ["x"]),
        ("line\nbreak.csv", ["x", "y"]),
    ):
        frame = pd.DataFrame(
            np.random.default_rng(0).normal(size=(64, len(columns))), columns=columns
        )
        frame.to_csv(name, index=False)
        answer = command("train", name, "--out", f"{name}.run", *TINY_OPTIONS)
        assert answer.status == 0, answer.err
        assert (here / f"{name}.run" / "samples.png").stat().st_size > 1000
        assert (here / f"{name}.run" / "report.html").stat().st_size > 1000


@pytest.mark.usefixtures("here")
def test_columns_named_like_formulas_are_no_formulas_in_what_is_written(command: Command) -> None:
    names = ["=cmd|' /C calc'!A0", "+1+1", "-2", "@SUM(A1)", "plain"]
    pd.DataFrame(np.random.default_rng(0).normal(size=(64, 5)), columns=names).to_csv(
        "in.csv", index=False
    )
    assert command("train", "in.csv", "--out", "odd", *TINY_OPTIONS).status == 0
    assert command("sample", "odd", "-n", "2", "--out", "out.csv").status == 0
    assert pd.read_csv("out.csv").columns.tolist() == [
        "'=cmd|' /C calc'!A0",
        "'+1+1",
        "'-2",
        "'@SUM(A1)",
        "plain",
    ]
    assert GAN.load("odd").sample(2).columns.tolist() == names


def test_deep_json_in_a_run_is_refused(run: Path, command: Command) -> None:
    for text in (
        "[" * 10**6,
        '{"format": 1, "a": ' * 10**5,
        '{"format": 1, "a": ' + "9" * 10**5 + "}",
    ):
        (run / "config.json").write_text(text)
        one_line(command("sample", "run", "-n", "2"))
        assert "could not be read" in prepare()


@pytest.mark.parametrize("claimed", [2**63, 2**40, 10, 0])
def test_safetensors_headers_that_lie_are_refused(
    claimed: int, run: Path, command: Command
) -> None:
    path = run / "generator.safetensors"
    path.write_bytes(claimed.to_bytes(8, "little") + path.read_bytes()[8:])
    assert "is damaged" in one_line(command("sample", "run", "-n", "2"))


@pytest.mark.parametrize("offsets", [[0, 2**62], [-8, 0], [0, 10**30], ["a", "b"], [8, 0]])
def test_safetensors_offsets_that_lie_are_refused(
    offsets: list[Any], run: Path, command: Command
) -> None:
    raw = json.dumps(
        {
            "__metadata__": {"equipoise": "{}"},
            "a": {"dtype": "F32", "shape": [2], "data_offsets": offsets},
        }
    ).encode()
    (run / "generator.safetensors").write_bytes(len(raw).to_bytes(8, "little") + raw + bytes(8))
    assert "is damaged" in one_line(command("sample", "run", "-n", "2"))


def test_weights_that_are_nan_have_a_verdict_and_never_become_whole_numbers(
    run: Path, command: Command
) -> None:
    repacked(
        run / "generator.safetensors",
        lambda t, _: t.update(
            {name: value * float("nan") for name, value in t.items() if "generator." in name}
        ),
    )
    answer = command("evaluate", "run")
    assert answer.status == 0
    assert "Diverged" in answer.out

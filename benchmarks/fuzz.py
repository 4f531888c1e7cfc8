"""Every reader, on files that a fuzzer makes: whatever they hold, a reader reads them
or refuses them in one line.

    python -m benchmarks.fuzz                   every reader, five minutes each
    python -m benchmarks.fuzz npy log --seconds 60

It needs atheris (pip install atheris), which mutates files by what they reach of the
code. What it finds goes to tests/corpus, by reader, and `tests/test_readers.py` reads
all of that again. The result goes to benchmarks/results.
"""

from __future__ import annotations

import argparse
import io
import json
import re
import shlex
import struct
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from types import FunctionType
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from PIL import Image

from benchmarks.results import record
from equipoise import GAN
from equipoise.cli.sample_files import codes
from equipoise.data import frames, readers
from equipoise.data.images.decode import take
from equipoise.data.images.deep_png import png_of
from equipoise.data.images.form import Form
from equipoise.data.readers.compression import COMPRESSIONS
from equipoise.data.schema import Schema
from equipoise.data.tables.column_file import columns_to_toml, read_columns
from equipoise.data.tables.recognition import recognise
from equipoise.errors import EquipoiseError
from equipoise.recipes import DEFAULT
from equipoise.recipes.balanced import Balanced
from equipoise.report.report import Report
from equipoise.runs.directory import RunDirectory
from equipoise.runs.generator import load_generator
from equipoise.runs.serialization import checked_line, pack, read_json, unpack, write_json

if TYPE_CHECKING:
    import pandas as pd

CORPUS = Path(__file__).parents[1] / "tests" / "corpus"
SECONDS = 300
MAX_BYTES = 4096


def file_of(suffix: str) -> Callable[[Path], object]:
    """Reads a file as one with this ending."""

    def read(path: Path) -> object:
        named = path.with_suffix(suffix)
        named.write_bytes(path.read_bytes())
        try:
            return frames.from_file(named, None, None)
        finally:
            named.unlink()

    return read


def image(path: Path) -> object:
    form = Form("RGB", 3, (8, 8), "uint8")
    taken = take(path, form)
    unfit = isinstance(taken.seen, str) or form.misfit(taken.seen) is not None
    assert unfit == (taken.pixels is None)
    assert not isinstance(taken.seen, str) or "\n" not in taken.seen
    return taken


def signed_json(path: Path) -> dict[str, Any]:
    """The bytes as JSON whose checksum fits, so that what lies behind it is reached."""
    try:
        content = json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        content = None
    content = content if isinstance(content, dict) else {}
    content.pop("sha256", None)
    write_json(path, {**content, "format": 1})
    return read_json(path)


def config(path: Path) -> object:
    signed_json(path)
    run = RunDirectory(path.parent)
    run.config_file = path
    return run.read_config()


def report(path: Path) -> object:
    signed_json(path)
    return str(Report.read(path))


def log(path: Path) -> object:
    """The bytes as they are, and again as a line whose checksum fits."""
    run = RunDirectory(path.parent)
    run.log_file = path
    run.read_log()
    try:
        content = json.loads(path.read_bytes())
        path.write_text(checked_line(content))
    except (ValueError, RecursionError, TypeError):
        return None
    return run.read_log()


def generator(path: Path) -> object:
    """The bytes as what describes a generator's tensors, with a checksum that fits."""
    try:
        content = json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        content = None
    described = (
        {name: value for name, value in content.items() if name not in ("sha256", "format")}
        if isinstance(content, dict)
        else {}
    )
    path.write_bytes(pack({"a": torch.ones(2)}, described))
    return load_generator(path, torch.device("cpu"))


def schema(path: Path) -> object:
    try:
        content = json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        return None
    return Schema.from_dict(content)


def columns(path: Path) -> object:
    """The bytes as a file of columns, and the columns of a table as they are said to
    be."""
    return recognise(customers(), read_columns(path))


def customers() -> pd.DataFrame:
    """A table with a column of each kind."""
    import pandas as pd

    return pd.DataFrame(
        {
            "id": [f"K-{i:03}" for i in range(40)],
            "plan": ["free", "pro"] * 20,
            "age": [*range(18, 57), -999],
            "since": pd.date_range("2024-01-01", periods=40).astype(str),
            "open": pd.to_timedelta(range(40), "h"),
        }
    )


# Kinds of image files, by Pillow's names; the TIFF has pages.
IMAGES = {
    "image": "PNG",
    "image-tiff": "TIFF",
    "image-gif": "GIF",
    "image-bmp": "BMP",
    "image-ppm": "PPM",
}
# Of each reader the first ending, of text also compressed. Others are read as these.
ENDINGS = [
    ending for reader in readers.READERS for ending in reader.endings[: 1 + len(COMPRESSIONS)]
]
READERS: dict[str, Callable[[Path], object]] = {
    **{ending.removeprefix("."): file_of(ending) for ending in ENDINGS},
    **dict.fromkeys(IMAGES, image),
    "tensors": unpack,
    "config": config,
    "report": report,
    "log": log,
    "generator": generator,
    "schema": schema,
    "columns": columns,
    "codes": lambda path: codes(path.read_bytes().decode(errors="replace")),
}


def attempt(reader: str, content: bytes, folder: Path) -> None:
    """Read what was made; any error but a refusal in one clean line goes through."""
    path = folder / "made"
    path.write_bytes(content)
    told = ""
    try:
        READERS[reader](path)
    except EquipoiseError as error:
        told = str(error)
    assert told.isprintable(), told


def workbook() -> bytes:
    """The smallest Excel workbook of two columns, not compressed, so that what is
    changed are its parts."""
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    rows = "".join(
        f'<row r="{i}"><c r="A{i}"><v>{i}.5</v></c><c r="B{i}"><v>{i}</v></c></row>' for i in (2, 3)
    )
    names = (
        '<c r="A1" t="inlineStr"><is><t>a</t></is></c><c r="B1" t="inlineStr"><is><t>b</t></is></c>'
    )
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{package}/content-types">'
        f'<Override PartName="/xl/workbook.xml" ContentType="{kind}.sheet.main+xml"/></Types>',
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{office}">'
        '<sheets><sheet name="s" sheetId="1" r:id="r1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}/relationships">'
        f'<Relationship Id="r1" Type="{office}/worksheet" Target="s.xml"/></Relationships>',
        "xl/s.xml": f'<worksheet xmlns="{main}"><sheetData><row r="1">{names}</row>{rows}'
        "</sheetData></worksheet>",
    }
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w") as archive:
        for name, content in parts.items():
            archive.writestr(zipfile.ZipInfo(name), content)
    return raw.getvalue()


def zipped(name: str, content: bytes) -> bytes:
    """A ZIP archive of one file."""
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w") as archive:
        archive.writestr(zipfile.ZipInfo(name), content)
    return raw.getvalue()


def file_seed(ending: str) -> bytes:
    """A small file of each format in `data.readers`; an empty one of other formats."""
    import pandas as pd
    import pyarrow as pa

    array, frame = np.arange(6.0).reshape(3, 2), pd.DataFrame({"a": [1.0, 2.0], "b": [3, 4]})

    def written(write: Callable[..., object], *given: Any, **named: Any) -> bytes:
        raw = io.BytesIO()
        write(raw, *given, **named)
        return raw.getvalue()

    lines = frame.to_json(orient="records", lines=True).encode()
    makers: dict[str, Callable[[], bytes]] = {
        "npy": lambda: written(np.save, array),
        "npz": lambda: written(np.savez_compressed, x=array, y=[0, 1, 0]),
        "parquet": lambda: written(frame.to_parquet),
        "feather": lambda: written(frame.to_feather),
        "xlsx": workbook,
        "zip": lambda: zipped("a.csv", frame.to_csv(index=False).encode()),
        "csv": lambda: frame.to_csv(index=False).encode(),
        "tsv": lambda: frame.to_csv(index=False, sep="\t").encode(),
        "txt": lambda: frame.to_csv(index=False, sep=" ").encode(),
        "data": lambda: frame.to_csv(index=False, header=False).encode(),
        "jsonl": lambda: lines,
        "ndjson": lambda: lines,
    }
    kind, _, compression = ending.partition(".")
    content = makers.get(kind, bytes)()
    codec = {"gz": "gzip", "zst": "zstd"}.get(compression)
    return content if codec is None else bytes(pa.compress(content, codec, asbytes=True))


def image_seeds(reader: str) -> list[bytes]:
    """Images of grey; beside the TIFF of pages one of five channels in a page, and
    beside the PNG one of 16 bit colours."""
    raw, wide = io.BytesIO(), io.BytesIO()
    pages = [Image.new("L", (8, 8), grey) for grey in (1, 2, 3)]
    more = {"save_all": True, "append_images": pages[1:]} if reader == "image-tiff" else {}
    pages[0].save(raw, IMAGES[reader], **more)
    if reader == "image":
        return [raw.getvalue(), png_of(np.full((3, 8, 8), 999, np.uint16))]
    if reader != "image-tiff":
        return [raw.getvalue()]
    Image.new("L", (40, 8), 7).save(wide, "TIFF", compression="tiff_lzw")
    several = wide.getvalue()
    # Of its tags the width, 40, becomes 8, and the rows of a strip, which are all,
    # become five samples a pixel.
    for was, becomes in (((256, 40), (256, 8)), ((278, 8), (277, 5))):
        before, after = (struct.pack("<HHIH", tag, 3, 1, value) for tag, value in (was, becomes))
        several = several.replace(before, after)
    return [raw.getvalue(), several]


def seeds(reader: str) -> list[bytes]:
    """Files to begin with."""
    if f".{reader}" in ENDINGS:
        return [file_seed(reader)]
    if reader in IMAGES:
        return image_seeds(reader)
    raw = io.BytesIO()
    if reader == "tensors":
        raw.write(pack({"a": torch.arange(3.0)}, {"state": {"samples_seen": 1}}))
    recipe = {"name": DEFAULT, **asdict(Balanced(width=8))}
    transform = [
        {"name": "dequantization"},
        {"name": "scaling", "kind": "standard", "limits": None},
    ]
    texts = {
        "codes": "c0=3,u0=-1.5",
        "columns": columns_to_toml(recognise(customers())[0], customers(), "customers"),
        "log": '{"samples_seen": 16, "seconds": 0.1, "balance": 0.5, "metrics": '
        '{"wasserstein_1": 0.5}}',
        "schema": json.dumps(
            Schema((2,), "ND", "float64", classes=("a", 1), class_counts=(3, 4)).to_dict()
        ),
        "report": '{"data": "a", "recipe": "b", "samples_seen": 1, "dropped": null, '
        '"training_seconds": 2.5, '
        '"date": "2026-01-02T03:04:05+00:00", "metrics": [{"key": "n", "value": 1, "baseline": '
        '1, "better": "lower", '
        '"protocol": "p"}], "verdict": {"name": "close", "sentence": "s", "sure": "sure", '
        '"advice": "a", "command": ""}}',
        "config": json.dumps(GAN(width=8).trainer("gaussian", to_disk=False).config.to_dict()),
        "generator": json.dumps(
            {
                "recipe": recipe,
                "samples_seen": 1,
                "schema": Schema((1,), "N", "float64").to_dict(),
                "transform": transform,
            }
        ),
    }
    return [raw.getvalue()] if reader not in texts else [texts[reader].encode()]


def own_functions() -> Iterator[FunctionType]:
    """Every function and method of Equipoise, so that the fuzzer sees which of their
    branches a file reaches."""
    for name, module in list(sys.modules.items()):
        if name.startswith("equipoise"):
            for holder in [
                module,
                *(
                    value
                    for value in vars(module).values()
                    if isinstance(value, type) and value.__module__ == name
                ),
            ]:
                yield from (
                    value
                    for value in vars(holder).values()
                    if isinstance(value, FunctionType) and value.__module__ == name
                )


def fuzz(reader: str, seconds: int) -> None:
    """Mutate files until the time is over, or one breaks the promise; then it lies in
    tests/corpus."""
    import atheris

    home = Path(tempfile.mkdtemp(dir="/dev/shm" if Path("/dev/shm").is_dir() else None))
    begin = home / "begin"
    begin.mkdir()
    for number, content in enumerate(seeds(reader)):
        (begin / str(number)).write_bytes(content)
    found = CORPUS / reader
    found.mkdir(parents=True, exist_ok=True)
    for function in own_functions():
        atheris.instrument_func(function)
    options = [
        f"-max_total_time={seconds}",
        f"-max_len={MAX_BYTES}",
        "-timeout=20",
        "-rss_limit_mb=6000",
        f"-artifact_prefix={found}/",
    ]
    atheris.Setup(
        [sys.argv[0], *options, str(begin), str(found)],
        lambda content: attempt(reader, content, home),
    )
    atheris.Fuzz()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("readers", nargs="*", help=f"of {', '.join(READERS)}; all unless named")
    parser.add_argument("--seconds", type=int, default=SECONDS, help="for each")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        fuzz(options.one, options.seconds)
        return
    if unknown := set(options.readers) - set(READERS):
        parser.error(f"no reader {', '.join(sorted(unknown))}: known are {', '.join(READERS)}")
    rows = [["reader", "files tried", "broke the promise"]]
    for reader in options.readers or READERS:
        command = [
            sys.executable,
            "-m",
            "benchmarks.fuzz",
            "--one",
            reader,
            "--seconds",
            str(options.seconds),
        ]
        told = subprocess.run(command, check=False, capture_output=True, text=True)
        tried = re.findall(r"(?:DONE|Done|#)\s*(\d+)", told.stderr)
        last = "" if told.returncode == 0 else " ".join(told.stderr.strip().splitlines()[-3:])[:200]
        rows.append([reader, f"{int(max(tried, key=int, default='0')):,}", last or "none"])
        print(" | ".join(rows[-1]), flush=True)
    record(
        shlex.join(["python", "-m", "benchmarks.fuzz", *sys.argv[1:]]),
        f"{options.seconds} s each.",
        rows,
    )


if __name__ == "__main__":
    main()

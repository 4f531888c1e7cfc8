"""JSON and tensors in a run directory: files that appear whole, and show damage.

What is not a finite number is null in JSON, which has no word for it. A number that
is null is read as NaN.
"""

from __future__ import annotations

import errno
import hashlib
import json
import sys
import zlib
from collections.abc import Mapping
from itertools import chain
from pathlib import Path
from typing import Any, NoReturn

import torch
from safetensors import SafetensorError
from safetensors.torch import load
from torch import Tensor

from equipoise.coerce import as_json
from equipoise.errors import EquipoiseError, first_line
from equipoise.utils.atomic_io import read_file, write_whole

MAX_JSON, MAX_TENSORS = 2**26, 2**33  # bytes of a file that are read, and so are written
FORMAT = 1  # of everything in a run directory
DTYPES = {
    torch.float64: "F64",
    torch.float32: "F32",
    torch.float16: "F16",
    torch.bfloat16: "BF16",
    torch.int64: "I64",
    torch.int32: "I32",
    torch.int16: "I16",
    torch.int8: "I8",
    torch.uint8: "U8",
    torch.bool: "BOOL",
    torch.complex64: "C64",
}
# Errors of reading that say nothing about the file: it may be whole.
NOT_NOW = (errno.ENOMEM, errno.EACCES, errno.EPERM, errno.EMFILE, errno.ENFILE)


class DamagedFileError(EquipoiseError):
    """A file does not hold what was written."""


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write `content` as JSON that carries a SHA-256 of itself."""
    plain = as_json(content)
    text = _dumps({**plain, "sha256": _json_digest(plain)}, indent=2) + "\n"
    _refuse_too_many(path, len(text), MAX_JSON)  # it is ASCII
    write_whole(path, text.encode())


def read_json(path: Path) -> dict[str, Any]:
    """A JSON file of a run directory.

    Raises:
        DamagedFileError: If it cannot be understood, is of another format or has been
            changed, EquipoiseError where it cannot be read at the moment.
    """
    try:
        content = json.loads(_read(path, MAX_JSON), parse_constant=_refuse_constant)
        stated = content.pop("sha256", None) if isinstance(content, dict) else None
        digest = _json_digest(content)
    except (OSError, ValueError, RecursionError) as error:
        raise DamagedFileError(f"{path} could not be read: {error}") from None
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise DamagedFileError(f"{path} is not of format {FORMAT}, which this version reads")
    if stated != digest:
        raise DamagedFileError(
            f"{path} is damaged, or was changed by hand: its SHA-256 does not fit"
        )
    return content


def checked_line(content: dict[str, Any]) -> str:
    """A line of JSON that ends with a CRC-32 of what comes before it."""
    text = _dumps(as_json(content))
    return f'{text[:-1]}, "crc32": "{zlib.crc32(text.encode()):08x}"}}\n'


def read_checked_line(text: str) -> dict[str, Any] | None:
    """What `checked_line` wrote, without the CRC; None if it is anything else."""
    start, found, rest = text.rpartition(', "crc32": "')
    bare = start + "}"
    if not found or rest != f'{zlib.crc32(bare.encode(errors="replace")):08x}"}}':
        return None
    try:
        content = json.loads(bare, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None


def write_tensors(
    path: Path,
    tensors: dict[str, Tensor],
    metadata: dict[str, Any],
    beside: Path | None = None,
) -> None:
    """Write what `pack` packs to `path`, tensor by tensor, without a copy of all."""
    header, ordered = _header(tensors, metadata)
    _refuse_too_many(path, len(header) + sum(value.nbytes for value in ordered), MAX_TENSORS)
    write_whole(path, chain([header], map(_bytes_of, ordered)), beside)


def pack(tensors: dict[str, Tensor], metadata: dict[str, Any]) -> bytes:
    """Tensors and metadata, which JSON can hold, as one safetensors file.

    It carries a SHA-256 of both. Equal content gives equal bytes.
    """
    header, ordered = _header(tensors, metadata)
    return b"".join(chain([header], map(_bytes_of, ordered)))


def unpack(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """What `pack` packed, however its header is written.

    Raises:
        DamagedFileError: If a bit of the content has changed, EquipoiseError where the
            file cannot be read at the moment, as with too little free memory.
    """
    try:
        raw = _read(path, MAX_TENSORS)
        tensors = load(raw)
        header = json.loads(raw[8 : 8 + int.from_bytes(raw[:8], "little")])["__metadata__"]
        metadata = json.loads(header["equipoise"], parse_constant=_refuse_constant)
        stated = metadata.pop("sha256")
        digest = digest_of(tensors, metadata)
    except MemoryError:
        raise EquipoiseError(f"{path} cannot be read now: too little memory is free") from None
    except (
        OSError,
        SafetensorError,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        RecursionError,
    ) as error:
        raise DamagedFileError(f"{path} is damaged: {first_line(error)}") from None
    if stated != digest:
        raise DamagedFileError(f"{path} is damaged: its SHA-256 does not fit")
    if metadata.get("format") != FORMAT:
        raise DamagedFileError(
            f"{path} has format {metadata.get('format')}: this version reads format {FORMAT}"
        )
    return tensors, metadata


def _read(path: Path, most: int) -> bytes:
    """As `read_file`.

    Raises:
        EquipoiseError: Where the file may well be whole.
    """
    try:
        return read_file(path, most)
    except OSError as error:
        if error.errno not in NOT_NOW:
            raise
        raise EquipoiseError(f"{path} cannot be read now: {error.strerror}") from None


def _refuse_too_many(path: Path, size: int, most: int) -> None:
    """Raises:
    EquipoiseError: For a file that could not be read again."""
    if size > most:
        raise EquipoiseError(
            f"{path} could not be written: it would have {size:,} bytes, more than the {most:,} "
            "that are read; what was saved before is whole"
        )


def _header(tensors: dict[str, Tensor], metadata: dict[str, Any]) -> tuple[bytes, list[Tensor]]:
    """What a safetensors file begins with, and the tensors in their order there.

    That is eight bytes of the header's length, and the header as JSON, padded to whole
    eights. Tensors of wide types come first, so that each lies at a multiple of its
    type's size.
    """
    description = {"format": FORMAT, **as_json(metadata)}
    stated = {**description, "sha256": digest_of(tensors, description)}
    header: dict[str, Any] = {"__metadata__": {"equipoise": _dumps(stated, sort_keys=True)}}
    end = 0
    names = sorted(tensors, key=lambda name: (-tensors[name].element_size(), name))
    for name in names:
        start, end = end, end + tensors[name].nbytes
        header[name] = {**_form(tensors[name]), "data_offsets": [start, end]}
    text = _dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text, [tensors[name] for name in names]


def _form(tensor: Tensor) -> dict[str, Any]:
    """A tensor's type and shape as safetensors has them."""
    return {"dtype": DTYPES[tensor.dtype], "shape": list(tensor.shape)}


def _bytes_of(tensor: Tensor) -> memoryview:
    """A tensor's numbers as safetensors has them: row by row, the least byte first."""
    flat = tensor.detach().cpu().reshape(-1)
    if flat.stride(0) != 1:  # also of one number or none, which counts as contiguous
        flat = flat.clone(memory_format=torch.contiguous_format)
    raw = flat.view(torch.uint8).numpy()
    if sys.byteorder == "big":
        raw = raw.view(f"u{tensor.element_size()}").byteswap().view("u1")
    return raw.data


def digest_of(tensors: Mapping[str, Tensor], description: Mapping[str, Any]) -> str:
    """The SHA-256 of the content, whatever the order, the padding and the alignment in
    a file: of the description, and of each tensor's name, type, shape and numbers."""
    digest = hashlib.sha256(_dumps(description, sort_keys=True).encode())
    for name in sorted(tensors):
        digest.update(_dumps({"name": name, **_form(tensors[name])}).encode())
        digest.update(_bytes_of(tensors[name]))
    return digest.hexdigest()


def _json_digest(content: Any) -> str:
    return hashlib.sha256(_dumps(content, sort_keys=True).encode()).hexdigest()


def _dumps(content: Any, **how: Any) -> str:
    """JSON, which has neither NaN nor infinities.

    Raises:
        ValueError: On one.
    """
    return json.dumps(content, allow_nan=False, **how)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"it holds {name}, which is not JSON")

"""JSON and tensors in a run directory: written atomically, with checksums.

NaN and infinities are null in JSON, which has no word for them. A null number is read
as NaN. torch is imported where tensors are read or written, so that JSON can be read
without.
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
from typing import TYPE_CHECKING, Any, NoReturn

from safetensors import SafetensorError

from equipoise.coerce import as_json
from equipoise.errors import EquipoiseError, first_line
from equipoise.utils.atomic_io import read_file, write_atomic

if TYPE_CHECKING:
    from torch import Tensor

# Maximum size of a file, in reading and in writing.
MAX_JSON_BYTES = 2**26
MAX_TENSOR_BYTES = 2**33
# Version of the formats of all files in a run directory.
FORMAT = 1
DTYPES = {
    "torch.float64": "F64",
    "torch.float32": "F32",
    "torch.float16": "F16",
    "torch.bfloat16": "BF16",
    "torch.int64": "I64",
    "torch.int32": "I32",
    "torch.int16": "I16",
    "torch.int8": "I8",
    "torch.uint8": "U8",
    "torch.bool": "BOOL",
    "torch.complex64": "C64",
}
# Errors after which the file may still be whole.
TRANSIENT_ERRNOS = (errno.ENOMEM, errno.EACCES, errno.EPERM, errno.EMFILE, errno.ENFILE)


class DamagedFileError(EquipoiseError):
    """A file is damaged: its content is not what was written."""


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write `content` as JSON with its SHA-256."""
    plain = as_json(content)
    text = _dumps({**plain, "sha256": _json_digest(plain)}, indent=2) + "\n"
    _check_size(path, len(text), MAX_JSON_BYTES)  # it is ASCII
    write_atomic(path, text.encode())


def read_json(path: Path) -> dict[str, Any]:
    """Read what `write_json` wrote.

    Raises:
        DamagedFileError: The file is not JSON, has another format or was changed.
        EquipoiseError: It cannot be read at the moment.
    """
    try:
        content = json.loads(_read(path, MAX_JSON_BYTES), parse_constant=_reject_constant)
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
    """A line of JSON with a CRC-32 of its content as the last entry."""
    text = _dumps(as_json(content))
    return f'{text[:-1]}, "crc32": "{zlib.crc32(text.encode()):08x}"}}\n'


def read_checked_line(text: str) -> dict[str, Any] | None:
    """Parse a line of `checked_line`, without the CRC; None if it is damaged."""
    start, found, rest = text.rpartition(', "crc32": "')
    bare = start + "}"
    if not found or rest != f'{zlib.crc32(bare.encode(errors="replace")):08x}"}}':
        return None
    try:
        content = json.loads(bare, parse_constant=_reject_constant)
    except (ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None


def write_tensors(
    path: Path,
    tensors: dict[str, Tensor],
    metadata: dict[str, Any],
    beside: Path | None = None,
) -> None:
    """Write what `pack` returns, tensor by tensor, without a copy of all in memory."""
    header, ordered = _header(tensors, metadata)
    _check_size(path, len(header) + sum(value.nbytes for value in ordered), MAX_TENSOR_BYTES)
    write_atomic(path, chain([header], map(_bytes_of, ordered)), beside)


def pack(tensors: dict[str, Tensor], metadata: dict[str, Any]) -> bytes:
    """Tensors and JSON metadata as one safetensors file, with a SHA-256 of both.

    Equal content gives equal bytes.
    """
    header, ordered = _header(tensors, metadata)
    return b"".join(chain([header], map(_bytes_of, ordered)))


def unpack(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read a file of `pack` as (tensors, metadata).

    Raises:
        DamagedFileError: The content does not match its SHA-256.
        EquipoiseError: The file cannot be read at the moment, for example since too
            little memory is free.
    """
    from safetensors.torch import load

    try:
        raw = _read(path, MAX_TENSOR_BYTES)
        tensors = load(raw)
        header = json.loads(raw[8 : 8 + int.from_bytes(raw[:8], "little")])["__metadata__"]
        metadata = json.loads(header["equipoise"], parse_constant=_reject_constant)
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


def read_scalars(path: Path) -> dict[str, Any]:
    """The JSON metadata of a file of `pack`, from its header alone: neither the tensors
    nor the SHA-256 are looked at.

    Raises:
        DamagedFileError: The file has no such header.
    """
    try:
        with path.open("rb") as file:
            size = int.from_bytes(file.read(8), "little")
            header = json.loads(file.read(min(size, MAX_JSON_BYTES)))
        metadata = json.loads(header["__metadata__"]["equipoise"], parse_constant=_reject_constant)
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise DamagedFileError(f"{path} is damaged: {first_line(error)}") from None
    if not isinstance(metadata, dict) or metadata.get("format") != FORMAT:
        raise DamagedFileError(f"{path} is not of format {FORMAT}, which this version reads")
    return metadata


def _read(path: Path, max_bytes: int) -> bytes:
    """As `read_file`.

    Raises:
        EquipoiseError: After an error that may be transient.
    """
    try:
        return read_file(path, max_bytes)
    except OSError as error:
        if error.errno not in TRANSIENT_ERRNOS:
            raise
        raise EquipoiseError(f"{path} cannot be read now: {error.strerror}") from None


def _check_size(path: Path, size: int, max_bytes: int) -> None:
    """Check that a file is small enough to be read again.

    Raises:
        EquipoiseError: If not.
    """
    if size > max_bytes:
        raise EquipoiseError(
            f"{path} could not be written: it would have {size:,} bytes, more than the maximum "
            f"of {max_bytes:,}; earlier saves are intact"
        )


def _header(tensors: dict[str, Tensor], metadata: dict[str, Any]) -> tuple[bytes, list[Tensor]]:
    """The header of a safetensors file, and the tensors in file order.

    The header is its length in eight bytes, then JSON padded to a multiple of eight.
    Tensors of wide types come first, so that each is aligned to its type's size.
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
    """A tensor's dtype and shape in the terms of safetensors."""
    return {"dtype": DTYPES[str(tensor.dtype)], "shape": list(tensor.shape)}


def _bytes_of(tensor: Tensor) -> memoryview:
    """A tensor's values as safetensors stores them: row-major, little-endian."""
    import torch

    flat = tensor.detach().cpu().reshape(-1)
    if flat.stride(0) != 1:  # a tensor of at most one value is contiguous with any stride
        flat = flat.clone(memory_format=torch.contiguous_format)
    raw = flat.view(torch.uint8).numpy()
    if sys.byteorder == "big":
        raw = raw.view(f"u{tensor.element_size()}").byteswap().view("u1")
    return raw.data


def digest_of(tensors: Mapping[str, Tensor], description: Mapping[str, Any]) -> str:
    """The SHA-256 of a description and of each tensor's name, dtype, shape and values.

    Order, padding and alignment in the file do not enter.
    """
    digest = hashlib.sha256(_dumps(description, sort_keys=True).encode())
    for name in sorted(tensors):
        digest.update(_dumps({"name": name, **_form(tensors[name])}).encode())
        digest.update(_bytes_of(tensors[name]))
    return digest.hexdigest()


def _json_digest(content: Any) -> str:
    return hashlib.sha256(_dumps(content, sort_keys=True).encode()).hexdigest()


def _dumps(content: Any, **how: Any) -> str:
    """JSON without NaN and infinities, which the standard excludes.

    Raises:
        ValueError: `content` has one.
    """
    return json.dumps(content, allow_nan=False, **how)


def _reject_constant(name: str) -> NoReturn:
    raise ValueError(f"it holds {name}, which is not JSON")

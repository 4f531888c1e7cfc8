"""JSON and tensors in a run directory: files that appear whole, and whose damage is noticed."""

from __future__ import annotations

import hashlib
import json
import zlib
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from equipoise.data.files import read_file, write_whole
from equipoise.errors import EquipoiseError, first_line

__all__ = ["FORMAT", "DamagedFileError", "checked_line", "pack", "read_checked_line", "read_json", "unpack", "write_json", "write_whole"]

MOST_JSON, MOST_TENSORS = 2**26, 2**33  # bytes of a file that are read
FORMAT = 1  # of everything in a run directory


class DamagedFileError(EquipoiseError):
    """A file does not hold what was written."""


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write `content` as JSON that carries a SHA-256 of itself."""
    stated = {**content, "sha256": _json_digest(content)}
    write_whole(path, (json.dumps(stated, indent=2) + "\n").encode())


def read_json(path: Path) -> dict[str, Any]:
    """A JSON file of a run directory. Raises DamagedFileError if it cannot be understood, is of another format or has been changed."""
    try:
        content = json.loads(read_file(path, MOST_JSON))
        stated = content.pop("sha256", None) if isinstance(content, dict) else None
        digest = _json_digest(content)
    except (OSError, ValueError, RecursionError) as error:
        raise DamagedFileError(f"{path} could not be read: {error}") from None
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise DamagedFileError(f"{path} is not of format {FORMAT}, which this version reads")
    if stated != digest:
        raise DamagedFileError(f"{path} is damaged, or was changed by hand: its SHA-256 does not fit")
    return content


def checked_line(content: dict[str, Any]) -> str:
    """A line of JSON that ends with a CRC-32 of what comes before it."""
    text = json.dumps(content)
    return f'{text[:-1]}, "crc32": "{zlib.crc32(text.encode()):08x}"}}\n'


def read_checked_line(text: str) -> dict[str, Any] | None:
    """What `checked_line` wrote, without the CRC; None if it is not that to the letter."""
    start, found, rest = text.rpartition(', "crc32": "')
    bare = start + "}"
    if not found or rest != f'{zlib.crc32(bare.encode(errors="replace")):08x}"}}':
        return None
    try:
        content = json.loads(bare)
    except (ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None


def pack(tensors: dict[str, Tensor], metadata: dict[str, Any]) -> bytes:
    """Tensors and JSON-able metadata as one safetensors file that carries a SHA-256 of both. Equal content gives equal bytes."""
    plain = {name: value.detach().cpu().contiguous() for name, value in sorted(tensors.items())}
    description = {"format": FORMAT, **metadata}
    bare = save(plain)
    # One entry, because safetensors writes several in no fixed order.
    return _with_header(bare, {"equipoise": json.dumps({**description, "sha256": _digest(bare, description)}, sort_keys=True)})


def _with_header(bare: bytes, metadata: dict[str, str]) -> bytes:
    """A safetensors file with metadata, from one without: eight bytes of the header's length, the header, padded to whole eights, the
    tensors. It spares packing them twice, once for their digest."""
    end = 8 + int.from_bytes(bare[:8], "little")
    header = json.dumps({"__metadata__": metadata, **json.loads(bare[8:end])}, separators=(",", ":")).encode()
    header += b" " * (-len(header) % 8)
    return b"".join([len(header).to_bytes(8, "little"), header, memoryview(bare)[end:]])


def unpack(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """What `pack` packed. Raises DamagedFileError if a bit of it has changed."""
    try:
        raw = read_file(path, MOST_TENSORS)
        tensors = load(raw)
        header = json.loads(raw[8 : 8 + int.from_bytes(raw[:8], "little")])["__metadata__"]
        metadata = json.loads(header["equipoise"])
        stated = metadata.pop("sha256")
        digest = _digest(save(dict(sorted(tensors.items()))), metadata)
    except (OSError, SafetensorError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise DamagedFileError(f"{path} is damaged: {first_line(error)}") from None
    if stated != digest:
        raise DamagedFileError(f"{path} is damaged: its SHA-256 does not fit")
    if metadata.get("format") != FORMAT:
        raise DamagedFileError(f"{path} has format {metadata.get('format')}: this version reads format {FORMAT}")
    return tensors, metadata


def _json_digest(content: Any) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _digest(bare: bytes, description: dict[str, Any]) -> str:
    digest = hashlib.sha256(json.dumps(description, sort_keys=True).encode())
    digest.update(bare)
    return digest.hexdigest()

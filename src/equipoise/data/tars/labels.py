"""The labels of samples in tars: .cls, the field of a .json, or a .txt of few different
texts."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, BinaryIO, Literal

from equipoise.data.tars.reading import Member
from equipoise.errors import RequestError, clipped

MAX_LABEL_BYTES, MAX_JSON_BYTES = 2**10, 2**20
JSON_FIELDS = ("label", "cls", "class")
MAX_TEXTS, SAMPLES_PER_TEXT = 1_000, 2  # more different texts are captions
WHOLE = re.compile(r"[+-]?\d{1,18}")

Label = str | int
Kind = Literal[".cls", ".json", ".txt"]
Found = tuple[Kind, Label]


def label_of(fields: Mapping[str, Member], file: BinaryIO) -> Found | None:
    """The label of a sample and the ending that it is from; None without any. A text
    that is too long for a label is "".

    Args:
        fields: The sample's files by their endings.
        file: The open archive.

    Raises:
        RequestError: If it has one that cannot be read.
    """
    if (member := fields.get("cls")) is not None:
        text = _text(member, file, MAX_LABEL_BYTES).strip()
        if not text:
            raise RequestError(f"{member} is empty: give the number or the name of a class")
        return ".cls", int(text) if WHOLE.fullmatch(text) else text
    if (member := fields.get("json")) is not None:
        label = _json_label(member, file)
        if label is not None:
            return ".json", label
    if (member := fields.get("txt")) is not None:
        short = member.size <= MAX_LABEL_BYTES
        return ".txt", _text(member, file, MAX_LABEL_BYTES).strip() if short else ""
    return None


def labels_of(
    found: Sequence[Found | None], names: Sequence[str]
) -> tuple[tuple[Label, ...] | None, str]:
    """The labels of all samples, or None, and a note on them.

    Raises:
        RequestError: If some samples have labels and others have none, or other ones.
    """
    kinds = [None if one is None else one[0] for one in found]
    if len(set(kinds)) > 1 and set(kinds) != {None, ".txt"}:
        usual = max((kind for kind in kinds if kind is not None), key=kinds.count)
        odd = [name for name, kind in zip(names, kinds, strict=True) if kind != usual]
        raise RequestError(
            f"{len(odd):,} of {len(names):,} samples have no label in {usual} as the others do, "
            f"the first {clipped(odd[0])}: give every sample one"
        )
    labels = tuple(one[1] for one in found if one is not None)
    if not labels:
        return None, ""
    distinct = len(set(labels))
    if kinds[0] == ".txt" or None in kinds:
        few = distinct <= min(MAX_TEXTS, len(found) // SAMPLES_PER_TEXT)
        if not few or len(labels) < len(found) or "" in labels:
            return None, (
                f"the texts (.txt) are not used: {distinct:,} different ones are captions, not "
                "classes"
            )
    if distinct == 1:
        return None, f"the labels ({kinds[0]}) are not used: all are {clipped(repr(labels[0]))}"
    return labels, ""


def _text(member: Member, file: BinaryIO, most: int) -> str:
    if member.size > most:
        raise RequestError(
            f"{member} has {member.size:,} bytes, too many for a label: give at most {most:,}"
        )
    file.seek(member.offset)
    try:
        return file.read(member.size).decode()
    except UnicodeDecodeError:
        raise RequestError(f"{member} is no text: write it as UTF-8") from None


def _json_label(member: Member, file: BinaryIO) -> Label | None:
    """The label in a .json: the value itself, or that of a field."""
    text = _text(member, file, MAX_JSON_BYTES)
    try:
        stored: Any = json.loads(text)
    except (ValueError, RecursionError):
        raise RequestError(f"{member} cannot be read as JSON: write it again") from None
    if isinstance(stored, dict):
        stored = next((stored[name] for name in JSON_FIELDS if name in stored), None)
    return stored if isinstance(stored, int | str) and not isinstance(stored, bool) else None

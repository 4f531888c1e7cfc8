"""The encoding of a file of text."""

from __future__ import annotations

import codecs
import re
from collections.abc import Sequence

# Longer marks first: that of UTF-32 begins as that of UTF-16 does.
BYTE_ORDER_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
NAMES = {
    "utf-8": "",
    "utf-8-sig": "",
    "utf-16": "UTF-16",
    "utf-16-le": "UTF-16",
    "utf-16-be": "UTF-16",
    "utf-32": "UTF-32",
    "gb18030": "GB 18030",
    "cp1252": "Windows-1252 (Latin-1)",
    "latin-1": "Latin-1",
}
"""What each encoding is called in notes; nothing for UTF-8."""
MIN_ZEROS = 0.1  # of UTF-16's bytes of one parity: digits, blanks and line breaks have them
HIGH_BYTES = re.compile(rb"[\x80-\xff]+")
# Two bytes of a common Chinese character (GB 2312, levels 1 and 2, and punctuation).
CHINESE = re.compile(rb"(?:[\xa1-\xf7][\xa1-\xfe])+")
MIN_CHINESE = 0.9


def encodings(head: bytes) -> Sequence[str]:
    """The encodings that a file may have by its first bytes, the likeliest one first.

    The last is tried where the whole file cannot be decoded by those before. Latin-1
    decodes anything; Windows-1252 has quotation marks and the euro sign beside it.
    """
    for mark, encoding in BYTE_ORDER_MARKS.items():
        if head.startswith(mark):
            return (encoding,)
    even, odd = head[0::2].count(0), head[1::2].count(0)
    zeros, others = max(even, odd), min(even, odd)
    if zeros > MIN_ZEROS * len(head) / 2 and others < zeros / 10:
        return ("utf-16-be",) if even > odd else ("utf-16-le",)
    western = ("cp1252", "latin-1")
    return ("utf-8", "gb18030", *western) if _is_chinese(head) else ("utf-8", *western)


def decode(head: bytes, encoding: str, *, is_whole: bool) -> str:
    """The text of a file's first bytes, without a character that is cut off.

    Raises:
        UnicodeDecodeError: If they are of another encoding.
    """
    return codecs.getincrementaldecoder(encoding)().decode(head, final=is_whole)


def _is_chinese(head: bytes) -> bool:
    """Whether bytes outside of ASCII come in pairs, as those of GB 2312 do. In European
    texts most stand alone between letters."""
    runs = HIGH_BYTES.findall(head)
    paired = sum(len(run) for run in runs if CHINESE.fullmatch(run))
    return bool(runs) and paired >= MIN_CHINESE * sum(map(len, runs))

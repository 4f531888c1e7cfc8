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
# Common Chinese characters (GB 2312, levels 1 and 2, and punctuation) have two bytes.
# Letters of Latin-1 stand in words with letters of ASCII.
CHINESE = re.compile(rb"(?<![\x80-\xffA-Za-z])(?:[\xa1-\xf7][\xa1-\xfe])+(?![\x80-\xffA-Za-z])")
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
    """Whether bytes outside of ASCII come in pairs, as those of GB 2312 do, and not in
    words of other letters."""
    high = sum(map(len, HIGH_BYTES.findall(head)))
    paired = sum(map(len, CHINESE.findall(head)))
    return 0 < MIN_CHINESE * high <= paired

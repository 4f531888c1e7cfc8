"""What ids look like, and how new ones are made that no row of the table has.

A new id depends on the number of its row and the seed alone. So parts of a table that
are made apart have ids of their own.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from string import ascii_lowercase, ascii_uppercase, digits
from typing import Any

import numpy as np
from numpy.typing import NDArray

from equipoise.data.tables.permutation import permuted, scrambled

# Alphabets of a place of a code, the smallest first.
ALPHABETS = (
    digits[1:],
    digits,
    digits + "abcdef",
    digits + "ABCDEF",
    ascii_lowercase,
    ascii_uppercase,
    digits + ascii_lowercase,
    digits + ascii_uppercase,
    digits + ascii_uppercase + ascii_lowercase,
    digits + ascii_uppercase + ascii_lowercase + "-_",
)
MIN_IDS = 10  # distinct ones that show a form; UUIDs show it by themselves
MAX_LENGTH = 128
MIN_CODES = 10**8  # codes that a form must have, to be one and not a handful of names
MIN_NEW = 10**6  # of them that no row has
MAX_ENDINGS = 256  # of new codes, which are kept
MAX_ALPHABET = 64
MIN_DIGITS = 0.05  # of the characters that differ; words have none
ENOUGH = 10**24  # so many codes that none is ever drawn twice
UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
VERSION, VARIANT = 14, 19  # places in a UUID
EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[A-Za-z]{2,}")
LOCAL = 10  # letters of new e-mail addresses
# Reserved for examples (RFC 2606, RFC 6761): nobody gets such mail.
DOMAINS = ("example.com", "example.org", "example.net", "mail.example")
MAX_DIGITS = 18  # of a counted number
MAX_AFFIXES = 24  # characters around a counted number; more are a sentence
MIN_DENSITY = 0.01  # of numbers that count up; others are drawn
ROOM = 2**40  # new ids of a column of whole numbers


@dataclass(frozen=True)
class Serial:
    """Ids that count up: 1, 2, 3, or C-00012. New ones go on after the last."""

    first: int
    """The next number."""
    step: int = 1
    prefix: str = ""
    suffix: str = ""
    width: int = 0
    """Digits, with zeros in front; 0 for as many as the number has."""

    @property
    def is_valid(self) -> bool:
        """Whether what comes from a file can be ids."""
        return self.step != 0 and 0 <= self.width <= MAX_DIGITS and -(2**63) <= self.first < 2**63

    def numbers(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """The numbers of new ids, (N,)."""
        return self.first + self.step * rows

    def texts(self, rows: NDArray[np.int64]) -> list[str]:
        """New ids, (N,)."""
        pattern = f"{{:0{self.width}d}}" if self.width else "{}"
        return [
            f"{self.prefix}{pattern.format(number)}{self.suffix}"
            for number in self.numbers(rows).tolist()
        ]


@dataclass(frozen=True)
class Code:
    """Ids of characters that are drawn: UUIDs, hashes, 7GX2K9."""

    places: tuple[str, ...]
    """The characters that each place can have."""
    endings: tuple[str, ...] = ("",)
    """What can follow: endings of one length that no id of the table has."""

    @property
    def count(self) -> int:
        """How many ids there are."""
        return math.prod(map(len, self.places)) * len(self.endings)

    @property
    def is_valid(self) -> bool:
        """Whether what comes from a file can be ids."""
        lengths = {*map(len, self.endings)}
        short = len(lengths) == 1 and 0 < len(self.places) + max(lengths) <= MAX_LENGTH
        return short and all(0 < len(place) <= MAX_ALPHABET for place in self.places)

    def texts(self, rows: NDArray[np.int64], seed: int) -> list[str]:
        """New ids, (N,). All differ, as long as there are enough of them: endings and
        the last places are a permutation of the row's number, the others are drawn."""
        sizes = [*map(len, self.places), len(self.endings)]
        drawn = np.zeros((len(rows), len(sizes)), np.int64)
        counted, place = 1, len(sizes)
        while place and counted * sizes[place - 1] <= 2**62:
            place -= 1
            counted *= sizes[place]
        number = permuted(rows, counted, seed)
        for i in range(len(sizes) - 1, place - 1, -1):
            number, drawn[:, i] = np.divmod(number, sizes[i])
        for i in range(place):
            drawn[:, i] = scrambled(rows, seed + 1 + i) % np.uint64(sizes[i])
        *characters, endings = (
            table[of_place] for table, of_place in zip(self._tables, drawn.T, strict=True)
        )
        joined: list[str] = np.column_stack([*characters, endings]).view(self._dtype)[:, 0].tolist()
        return joined

    @property
    def _tables(self) -> list[NDArray[np.uint32]]:
        """What each place, and the endings, are made of, as code points."""
        places = [np.array([*map(ord, place)], np.uint32) for place in self.places]
        endings = np.array([[*map(ord, ending)] for ending in self.endings], np.uint32)
        return [*places, endings.reshape(len(self.endings), -1)]

    @property
    def _dtype(self) -> str:
        return f"U{len(self.places) + len(self.endings[0])}"


def serial_of_numbers(values: NDArray[Any]) -> Serial:
    """How ids that are whole numbers, sorted, go on: after the last; where there is no
    room, after the number with the largest gap behind it."""
    last = int(values[-1])
    if last < 2**63 - ROOM:
        return Serial(last + 1)
    taken = [value for value in map(int, values.tolist()) if value < 2**63]
    if not taken or taken[0] >= 0:
        taken.insert(0, -1)
    gaps = np.diff(np.array([*taken, 2**63], np.float64))
    return Serial(taken[int(gaps.argmax())] + 1)


def find_serial(texts: Sequence[str]) -> Serial | None:
    """What distinct texts that count up look like; None for others."""
    parts = _affixes(texts)
    if parts is None:
        return None
    prefix, suffix = parts
    numbers = [text[len(prefix) : len(text) - len(suffix)] for text in texts]
    lengths = {*map(len, numbers)}
    joined = "".join(numbers)
    if 0 in lengths or max(lengths) > MAX_DIGITS or not (joined.isascii() and joined.isdecimal()):
        return None
    if len(lengths) > 1 and any(number[0] == "0" and number != "0" for number in numbers):
        return None
    width = lengths.pop() if len(lengths) == 1 else 0
    return Serial(max(map(int, numbers)) + 1, 1, prefix, suffix, width)


def _affixes(texts: Sequence[str]) -> tuple[str, str] | None:
    """What all texts have before and after a number; None for sentences."""
    first, last = min(texts), max(texts)
    same = (i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b)
    prefix = first[: next(same, len(first))].rstrip(digits)
    suffix = first[len(prefix) :].lstrip(digits)
    if not all(text.endswith(suffix) for text in texts):
        return None
    affixes = prefix + suffix
    return (prefix, suffix) if len(affixes) <= MAX_AFFIXES and affixes.count(" ") <= 1 else None


def find_form(texts: Sequence[str]) -> Serial | Code | None:
    """The form of distinct ids; None for texts that have none.

    Numbers that are far apart are codes, as phone numbers are: those that follow the
    last one would stand out.
    """
    email = find_email(texts)
    if email is not None:
        return email
    serial = find_serial(texts)
    if serial is None:
        return find_code(texts)
    ends = len(serial.prefix), len(serial.suffix)
    numbers = [int(text[ends[0] : len(text) - ends[1]]) for text in texts]
    dense = len(texts) >= MIN_DENSITY * (max(numbers) - min(numbers) + 1)
    return serial if dense else find_code(texts) or serial


def find_code(texts: Sequence[str]) -> Code | None:
    """What distinct codes of one length look like; None for texts that are none."""
    length = len(texts[0])
    if not 0 < length <= MAX_LENGTH or any(len(text) != length for text in texts):
        return None
    characters = np.array(texts, f"U{length}").view(np.uint32).reshape(len(texts), length)
    if (characters == 0).any():  # a NUL, which NumPy drops at the end of a text
        return None
    if all(map(UUID.fullmatch, texts)):
        return _apart(characters, _uuid_places(characters))
    places = [_alphabet(place) for place in characters.T]
    varying = [place for place, known in enumerate(places) if len(known) > 1]
    if not varying or "" in places:
        return None
    numerals = (characters[:, varying] >= ord("0")) & (characters[:, varying] <= ord("9"))
    if numerals.mean() < MIN_DIGITS:
        return None
    if math.prod(map(len, places)) < max(MIN_CODES, 1_000 * len(texts)):
        return None
    found = _apart(characters, places)
    return found if found.count >= MIN_NEW else None


def find_email(texts: Sequence[str]) -> Code | None:
    """New addresses in place of e-mail addresses; None for other texts."""
    if not all(EMAIL.fullmatch(text) for text in texts):
        return None
    domains = {text.rpartition("@")[2].lower() for text in texts}
    domain = next((known for known in DOMAINS if known not in domains), "new.example")
    return Code((*[ascii_lowercase] * LOCAL, "@", *domain))


def _alphabet(place: NDArray[np.uint32]) -> str:
    """The characters that a place of codes can have, given those of some, (N,): one for
    all, or the smallest alphabet that has them; empty where none has."""
    seen = {chr(character) for character in np.unique(place).tolist()}
    if len(seen) == 1:
        return seen.pop()
    return next((known for known in ALPHABETS if seen <= set(known)), "")


def _uuid_places(characters: NDArray[np.uint32]) -> list[str]:
    """The characters of UUIDs: any of hexadecimal ones, but for version and variant."""
    capitals = bool(np.isin(characters, [ord(c) for c in "ABCDEF"]).any())
    hexadecimal = digits + ("ABCDEF" if capitals else "abcdef")
    places = ["-" if chr(c) == "-" else hexadecimal for c in characters[0].tolist()]
    versions = _alphabet(characters[:, VERSION])
    if len(versions) == 1:
        places[VERSION] = versions
    variants = "89AB" if capitals else "89ab"
    if np.isin(characters[:, VARIANT], [ord(c) for c in variants]).all():
        places[VARIANT] = variants
    return places


def _apart(characters: NDArray[np.uint32], places: list[str]) -> Code:
    """The form of codes that none of these, (N, length), has: they end in characters
    that no code has together. So none need be kept to compare with.

    Where there are so many codes that a new one never meets an old one, the form is
    left as it is.
    """
    if math.prod(map(len, places)) >= ENOUGH:
        return Code(tuple(places))
    start = len(places)
    while math.prod(map(len, places[start:])) <= 2 * len(characters):
        start -= 1
    sizes = [*map(len, places[start:])]
    index = np.zeros(len(characters), np.int64)
    for place, size in zip(range(start, len(places)), sizes, strict=True):
        table = np.zeros(max(int(characters.max()), 127) + 1, np.int64)
        table[[*map(ord, places[place])]] = np.arange(size)
        index = index * size + table[characters[:, place]]
    free = np.flatnonzero(np.bincount(index, minlength=math.prod(sizes)) == 0)
    some = free[np.linspace(0, len(free) - 1, min(len(free), MAX_ENDINGS)).astype(np.int64)]
    positions = np.column_stack(np.unravel_index(some, sizes)).tolist()
    endings = tuple(
        "".join(place[i] for place, i in zip(places[start:], of_ending, strict=True))
        for of_ending in positions
    )
    return Code(tuple(places[:start]), endings)

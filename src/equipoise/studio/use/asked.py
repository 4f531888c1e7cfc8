"""The samples that a page asks for, and the lines that give the same in Python and on
the command line."""

from __future__ import annotations

import math
import shlex
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.datastructures import QueryParams

from equipoise.errors import RequestError, clipped

if TYPE_CHECKING:
    from equipoise.data.schema import Schema

MAX_IMAGES, MAX_ROWS, MAX_WRITTEN = 400, 5_000, 1_000_000
DEFAULT_IMAGES, DEFAULT_ROWS = 64, 1_000
MAX_SEED, MAX_TEXT, MAX_CONDITIONS = 2**31 - 1, 1_000, 50


@dataclass(frozen=True)
class Asked:
    """The samples that are asked for. Equal ones give equal samples."""

    n: int
    seed: int = 0
    label: str | None = None
    where: tuple[str, ...] = ()
    """Conditions on columns, as the command line has them."""
    code: tuple[tuple[str, float], ...] = ()
    """Codes to fix, by name."""
    truncation: float = 1.0
    """From 0, the mean sample, to 1, which changes nothing."""

    @classmethod
    def of(cls, query: QueryParams, default: int, most: int) -> Asked:
        """What an address asks for.

        Args:
            query: "n", "seed", "label", "where" (several), "code" (several, "c0=3"),
                "truncation".
            default: How many samples.
            most: How many samples at most.

        Raises:
            RequestError: For numbers that are none, or too large, and texts too long.
        """
        n = whole_of(query, "n", default)
        if not 1 <= n <= most:
            raise RequestError(f"n = {n:,}: must be from 1 to {most:,} here")
        seed = whole_of(query, "seed", 0)
        if not 0 <= seed <= MAX_SEED:
            raise RequestError(f"seed = {seed}: must be from 0 to {MAX_SEED:,}")
        where = tuple(query.getlist("where"))
        codes = tuple(_code(text) for text in query.getlist("code"))
        texts = [*where, query.get("label") or ""]
        if len(where) > MAX_CONDITIONS or any(len(text) > MAX_TEXT for text in texts):
            raise RequestError("the conditions are too long: ask for less")
        return cls(n, seed, query.get("label"), where, codes, number_of(query, "truncation", 1.0))

    def arguments(self, schema: Schema) -> dict[str, Any]:
        """The keywords of `GAN.sample`.

        Raises:
            RequestError: For conditions on columns that there are not.
        """
        found: dict[str, Any] = {"seed": self.seed}
        if self.label is not None:
            found["label"] = self.label
        if self.where:
            from equipoise.sampling.conditions import where_of_texts

            found["where"] = where_of_texts(schema, self.where)
        if self.code:
            found["code"] = dict(self.code)
        if self.truncation != 1:
            found["truncation"] = self.truncation
        return found

    def python(self, run: Path, schema: Schema, call: str = "gan.sample") -> str:
        """The lines of Python that give these samples."""
        keywords = [f"{name}={value!r}" for name, value in self.arguments(schema).items()]
        return "\n".join(
            [
                "from equipoise import GAN",
                "",
                f"gan = GAN.load({str(run)!r})",
                f"samples = {call}({', '.join([str(self.n), *keywords])})",
            ]
        )

    def words(self, run: Path, out: str) -> list[str]:
        """What is typed after `equipoise` to write these samples."""
        words = ["sample", str(run), "-n", str(self.n), f"--seed={self.seed}"]
        if self.label is not None:
            words.append(f"--label={self.label}")
        if self.where:
            words += ["--where", *self.where]
        if self.code:
            words.append("--code=" + ",".join(f"{name}={value:g}" for name, value in self.code))
        if self.truncation != 1:
            words.append(f"--truncation={self.truncation:g}")
        return [*words, f"--out={out}"]

    def line(self, run: Path, out: str) -> str:
        """`words` as they are typed."""
        return shlex.join(["equipoise", *self.words(run, out)])

    def of_size(self, n: int) -> Asked:
        """The same, but for how many."""
        return replace(self, n=n)


def whole_of(query: Mapping[str, str], name: str, default: int) -> int:
    """A whole number in an address.

    Raises:
        RequestError: If it is none.
    """
    text = query.get(name)
    if text is None or text == "":
        return default
    try:
        return int(text) if len(text) < 20 else 10**20
    except ValueError:
        raise RequestError(f"{name} = {clipped(repr(text))}: must be a whole number") from None


def number_of(query: Mapping[str, str], name: str, default: float) -> float:
    """A number in an address.

    Raises:
        RequestError: If it is none, or not finite.
    """
    text = query.get(name)
    if text is None or text == "":
        return default
    with suppress(ValueError):
        if math.isfinite(value := float(text)):
            return value
    raise RequestError(f"{name} = {clipped(repr(text))}: must be a number")


def _code(text: str) -> tuple[str, float]:
    name, _, value = text.partition("=")
    try:
        return name.strip()[:MAX_TEXT], float(value)
    except ValueError:
        raise RequestError(f"code {clipped(repr(text))}: must be as c0=3") from None


def limits_of(kind: str) -> tuple[int, int]:
    """How many samples a page shows by default, and at most."""
    images = kind == "images"
    return (DEFAULT_IMAGES, MAX_IMAGES) if images else (DEFAULT_ROWS, MAX_ROWS)


def endings_of(kinds: Iterable[str], *, numbers: bool) -> list[str]:
    """The endings of files that samples can be downloaded as.

    Args:
        kinds: Of the samples: "images", "table", "series" or "points".
        numbers: Whether all columns are numbers, which arrays hold.
    """
    from equipoise.data import writers

    of_kind = {
        "images": [".zip", ".png", ".tar", ".npy", ".npz"],
        "table": [*writers.endings(), *((".npy", ".npz") if numbers else ()), ".png"],
        "series": [*writers.endings(), ".npz", ".png"],
        "points": [".csv", ".npy", ".npz", ".png"],
    }
    return list(dict.fromkeys(ending for kind in kinds for ending in of_kind[kind]))

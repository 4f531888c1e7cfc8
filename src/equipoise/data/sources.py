"""Sources: whatever the user names or hands over, as one thing that training draws on
and judging compares with."""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from equipoise.data.arrays import Rows
from equipoise.data.distributions.univariate import Distribution, distribution_settings
from equipoise.data.loading import DistributionLoader, Encode, IndexedLoader, Loader, Stream, seeded
from equipoise.data.schema import Schema
from equipoise.errors import RequestError

HELD_OUT_ONE_IN, HELD_OUT_MAX = 10, 10_000  # one in ten, at most ten thousand
WEIGHTS_AS_COUNTS = (
    1_000_000  # an endless distribution's classes are counted as if it had this many samples
)


@dataclass
class Source(ABC):
    """A data set: its schema, what was noticed while reading it, the part held out for
    judging, and a feed of batches.

    `limits` are the smallest and largest values that an image can have; None for
    points. `labels_given` says that the user handed labels over, and did not only have
    them in the data. `origin` is the name or path that the source can be opened again
    by, if there is one. `for_test` says that nothing of it was trained on. `sums` are
    each training image's sum of values and of their squares, (n, 2), where they are
    known. `labels_in_python` says that labels were an argument, which can be neither
    read again nor typed. With `early_stopping` half of what is held out is a validation
    split, on which the generator to keep is chosen; the other half judges it.
    `has_outliers` says that the notes name rows so extreme that the others are not
    learned.
    """

    name: str
    schema: Schema
    fingerprint: str
    notes: list[str] = field(default_factory=list)
    limits: tuple[float, float] | None = None
    labels_given: bool = False
    labels_in_python: bool = False
    origin: str | None = None
    for_test: bool = False
    early_stopping: bool = False
    has_outliers: bool = False
    sums: Tensor | None = field(default=None, repr=False, compare=False)

    @property
    def distribution(self) -> Distribution | None:
        """The exact distribution, if it is known."""
        return None

    @property
    def is_digits(self) -> bool:
        """Whether these images have the features of the digit classifier."""
        return False

    @property
    def training_rows(self) -> int | None:
        """How many samples there are to train on; None if endless or not known."""
        return None

    @property
    def repeats(self) -> bool:
        """Whether the data can be read again, so that a resumed training goes on with
        the very same samples."""
        return True

    @abstractmethod
    def held_out(self, n: int, seed: int) -> Tensor:
        """At most n samples that are never trained on, raw, (m, *shape)."""

    @abstractmethod
    def validation(self, n: int, seed: int) -> Tensor:
        """At most n samples, raw, (m, *shape), for metrics while training: never
        trained on, and with `early_stopping` none of those that `held_out` gives."""

    def _held_out_rows(self, count: int, *, validation: bool) -> Tensor:
        """The positions, among `count` rows that are held out, of one of the splits."""
        if not self.early_stopping or self.for_test or count < 2:
            return torch.arange(count)
        order = torch.randperm(count, generator=seeded(count, Stream.VALIDATION))
        return (order[: count // 2] if validation else order[count // 2 :]).sort().values

    @abstractmethod
    def seen(self, n: int, seed: int) -> Tensor:
        """At most n samples of those that are trained on, raw, (m, *shape); for a
        distribution, another draw."""

    def labelled(self, n: int, seed: int, *, held_out: bool) -> tuple[Tensor, Tensor] | None:
        """As `held_out` or `seen`, and the positions of their classes, (m,), in the
        schema's list; None where these are not to be had."""
        return None

    @abstractmethod
    def loader(self, batch_size: int, encode: Encode, device: torch.device, seed: int) -> Loader:
        """Batches of the training part, scaled, on `device`, in an order that `seed`
        decides."""

    def statistics(self, n: int, seed: int) -> tuple[Tensor, Tensor | None]:
        """Raw samples that statistics of the training part are taken from, (m, *shape),
        and which of them are meant, (k,) with k at most n; None for all."""
        return self.seen(n, seed), None

    def describe(self) -> dict[str, Any]:
        """What config.json keeps of the data."""
        named = {"name": self.name, "origin": self.origin, "fingerprint": self.fingerprint}
        return {
            **named,
            "schema": self.schema.to_dict(),
            "limits": self.limits,
            "labels_in_python": self.labels_in_python,
        }

    def as_test(self) -> Source:
        """The same data for judging what was trained on other data: none of it need be
        kept for training."""
        self.for_test = True
        return self


class DistributionSource(Source):
    """A built-in distribution: endless."""

    def __init__(self, distribution: Distribution) -> None:
        settings = json.dumps(distribution_settings(distribution), sort_keys=True)
        weights = distribution.components()
        schema = Schema(
            shape=(distribution.dimension,),
            layout="N" if distribution.dimension == 1 else "ND",
            dtype="float64",
        )
        if weights is not None:
            schema = replace(
                schema,
                classes=tuple(range(len(weights))),
                class_counts=tuple(round(w * WEIGHTS_AS_COUNTS) for w in weights),
            )
        super().__init__(
            distribution.name,
            schema,
            hashlib.sha256(f"{distribution.name} {settings}".encode()).hexdigest(),
        )
        self._distribution = distribution

    @property
    def distribution(self) -> Distribution:
        return self._distribution

    def held_out(self, n: int, seed: int) -> Tensor:
        return self._distribution.sample(n, seeded(seed, Stream.HELD_OUT))

    def validation(self, n: int, seed: int) -> Tensor:
        return self._distribution.sample(n, seeded(seed, Stream.VALIDATION))

    def seen(self, n: int, seed: int) -> Tensor:
        return self._distribution.sample(n, seeded(seed, Stream.SEEN))

    def labelled(self, n: int, seed: int, *, held_out: bool) -> tuple[Tensor, Tensor] | None:
        x, y = self._distribution.labelled(
            n, seeded(seed, Stream.HELD_OUT if held_out else Stream.SEEN)
        )
        return None if y is None else (x, y)

    def loader(self, batch_size: int, encode: Encode, device: torch.device, seed: int) -> Loader:
        return DistributionLoader(self._distribution, seed, batch_size, encode, device)

    def describe(self) -> dict[str, Any]:
        return {**super().describe(), "distribution": distribution_settings(self._distribution)}


class RowsSource(Source):
    """Rows in memory, split once into a training part and a part held out.

    `test` is the held-out part, and its labels, of data that has its own. `fingerprint`
    and `sums`, of every row, spare reading all of what is known already.
    """

    def __init__(
        self,
        name: str,
        rows: Rows,
        split_seed: int,
        test: tuple[NDArray[Any], NDArray[np.int64] | None] | None = None,
        *,
        fingerprint: str | None = None,
        sums: NDArray[np.int64] | None = None,
    ) -> None:
        limits = image_limits(rows.values) if rows.schema.is_image else None
        super().__init__(name, rows.schema, fingerprint or _fingerprint(rows), limits=limits)
        labels = None if rows.labels is None else torch.from_numpy(rows.labels)
        if test is None:
            kept, out = split(len(rows.values), split_seed)
            self._train, self._test = (
                torch.from_numpy(np.take(rows.values, part.numpy(), axis=0)) for part in (kept, out)
            )
            self.sums = None if sums is None else torch.from_numpy(sums[kept.numpy()])
            self._labels, self._test_labels = (
                None if labels is None else labels[part] for part in (kept, out)
            )
        else:
            values = torch.from_numpy(np.require(rows.values, requirements=["C", "W"]))
            self._train, self._test, self._labels = values, torch.from_numpy(test[0]), labels
            self._test_labels = None if test[1] is None else torch.from_numpy(test[1])
        self._own_test = test is not None

    @property
    def is_digits(self) -> bool:
        return self.name == "mnist" and self._own_test

    @property
    def training_rows(self) -> int:
        return len(self._train)

    def held_out(self, n: int, seed: int) -> Tensor:
        return self._test[choose(self._held_out_rows(len(self._test), validation=False), n, seed)]

    def validation(self, n: int, seed: int) -> Tensor:
        return self._test[choose(self._held_out_rows(len(self._test), validation=True), n, seed)]

    def seen(self, n: int, seed: int) -> Tensor:
        return choose(self._train, n, seed)

    def labelled(self, n: int, seed: int, *, held_out: bool) -> tuple[Tensor, Tensor] | None:
        rows, labels = (self._test, self._test_labels) if held_out else (self._train, self._labels)
        if labels is None:
            return None
        among = (
            self._held_out_rows(len(rows), validation=False)
            if held_out
            else torch.arange(len(rows))
        )
        chosen = choose(among, n, seed)
        return rows[chosen], labels[chosen]

    def statistics(self, n: int, seed: int) -> tuple[Tensor, Tensor | None]:
        return self._train, choose(torch.arange(len(self._train)), n, seed)

    def as_test(self) -> Source:
        """Half of it to compare with, and half for the floor; MNIST has its own test
        split."""
        if not self.is_digits:
            rows = torch.cat([self._train, self._test])
            order = torch.randperm(len(rows), generator=seeded(len(rows), Stream.SPLIT))
            out, kept = order[: len(rows) // 2], order[len(rows) // 2 :]
            self._test, self._train, self.sums = rows[out], rows[kept], None
            if self._labels is not None and self._test_labels is not None:
                labels = torch.cat([self._labels, self._test_labels])
                self._test_labels, self._labels = labels[out], labels[kept]
        return super().as_test()

    def loader(self, batch_size: int, encode: Encode, device: torch.device, seed: int) -> Loader:
        rows, labels = len(self._train), self._labels
        if (
            self.schema.is_image
        ):  # stays as it is, a quarter of the memory for uint8, and is converted as batches need it
            raw = self._train.to(device)
            return IndexedLoader(
                lambda i: encode(raw[i]), rows, labels, seed, batch_size, encode, device
            )
        points = encode(self._train).to(device)
        return IndexedLoader(lambda i: points[i], rows, labels, seed, batch_size, encode, device)


def split(n: int, seed: int) -> tuple[Tensor, Tensor]:
    """Indices to train on and indices held out: a seeded tenth, at least one, at most
    10,000.

    Raises:
        RequestError: For fewer than two.
    """
    if n < 2:
        raise RequestError("the data has one sample: give at least one batch of samples")
    out = min(max(n // HELD_OUT_ONE_IN, 1), HELD_OUT_MAX)
    order = torch.randperm(n, generator=seeded(seed, Stream.SPLIT))
    return order[out:].sort().values, order[:out].sort().values


def image_limits(values: NDArray[Any]) -> tuple[float, float]:
    """The range that images of this type have: the type's for 8 and 16 bit, [0, 1] or
    [-1, 1] for floats that keep to it, else what is seen."""
    if values.dtype in (np.uint8, np.uint16):
        return 0.0, float(np.iinfo(values.dtype).max)
    low, high = float(values.min()), float(values.max())
    for bounds in ((0.0, 1.0), (-1.0, 1.0)):
        if bounds[0] <= low and high <= bounds[1]:
            return bounds
    return low, high


def choose(rows: Tensor, n: int, seed: int) -> Tensor:
    """At most n of the rows, by a seeded draw without replacement."""
    if n >= len(rows):
        return rows
    return rows[torch.randperm(len(rows), generator=seeded(seed, Stream.CHOICE))[:n]]


def _fingerprint(rows: Rows) -> str:
    digest = hashlib.sha256(f"{rows.values.shape} {rows.values.dtype}".encode())
    digest.update(np.ascontiguousarray(rows.values).data)
    if rows.labels is not None:
        digest.update(json.dumps(rows.schema.to_dict()["classes"]).encode())
        digest.update(rows.labels.data)
    return digest.hexdigest()

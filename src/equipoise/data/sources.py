"""Sources: whatever the user names or hands over, in one form that training draws
batches from and metrics compare with."""

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

from equipoise.data.alpha import as_measured
from equipoise.data.arrays import Rows
from equipoise.data.description import DataDescription
from equipoise.data.distributions import Distribution, distribution_settings
from equipoise.data.images.form import ResizedImages
from equipoise.data.images.listing import LeftOut
from equipoise.data.limits import image_limits
from equipoise.data.loading import DistributionLoader, Encode, IndexedLoader, Loader, Stream, seeded
from equipoise.data.schema import Schema
from equipoise.data.split import OwnSplit, Split, TensorPart, choose, own_or_seeded
from equipoise.data.tables.table import Described

# The classes of a distribution are counted as if it had so many samples.
NOMINAL_SAMPLES = 1_000_000


@dataclass
class Source(ABC):
    """A data set: its schema, what was noticed while reading it, the part that is held
    out, and batches of the rest."""

    name: str
    schema: Schema
    fingerprint: str
    """A hash of the content."""
    notes: list[str] = field(default_factory=list)
    """What the user should know of the data, a line each."""
    limits: tuple[float, float] | None = None
    """The smallest and largest values that an image can have; None for points."""
    labels_given: bool = False
    """Whether the user handed labels over; else the data may have them all the same."""
    labels_found: bool = False
    """Whether the data came with labels: the start says how to learn them."""
    labels_in_python: bool = False
    """Whether labels were an argument: those cannot be read again from a file."""
    origin: str | None = None
    """The name or path that the source can be opened again by, if there is one."""
    for_test: bool = False
    """Whether nothing of it was trained on."""
    has_validation: bool = False
    """Whether half of the held-out rows are a validation split, on which a generator or
    its settings are chosen. The other half is the test split."""
    has_outliers: bool = False
    """Whether the notes name rows so extreme that the others are not learned."""
    columns: tuple[Described, ...] = ()
    """The columns of a table of mixed ones, in words."""
    left_out: tuple[LeftOut, ...] = ()
    """The files of a folder, or rows of a dataset, that no image is taken from."""
    file_format: str | None = None
    """Pillow's name of the format of the images of a folder."""
    resized: ResizedImages | None = None
    """Some images of a folder that were brought to another size."""
    sums: Tensor | None = field(default=None, repr=False, compare=False)
    """Each training image's sum of values and of their squares, (n, 2), where known."""

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
        """How many samples there are to train on; None where they are generated, or not
        known."""
        return None

    @property
    def test_rows(self) -> int | None:
        """How many samples `held_out` can give; None if endless."""
        return None

    @property
    def repeats(self) -> bool:
        """Whether the data can be read again, so that a resumed training goes on with
        the very same samples."""
        return True

    @abstractmethod
    def held_out(self, n: int, seed: int) -> Tensor:
        """At most n samples of the test split, raw, (m, *shape): never trained on."""

    @abstractmethod
    def validation(self, n: int, seed: int) -> Tensor:
        """At most n samples, raw, (m, *shape), for metrics while training: never
        trained on, and with `has_validation` not of the test split."""

    @abstractmethod
    def seen(self, n: int, seed: int) -> Tensor:
        """At most n samples that are trained on, raw, (m, *shape); of a distribution,
        another draw."""

    def labelled(self, n: int, seed: int, *, held_out: bool) -> tuple[Tensor, Tensor] | None:
        """As `held_out` or `seen`, with the positions of their classes in the schema,
        (m,); None without labels."""
        return None

    @abstractmethod
    def loader(self, batch_size: int, encode: Encode, device: torch.device, seed: int) -> Loader:
        """Batches of the training part, encoded, on `device`, in an order that `seed`
        decides."""

    def measured(self, x: Tensor) -> Tensor:
        """Raw samples, (n, *shape), as metrics compare them."""
        return as_measured(x, self.schema, self.limits)

    def statistics(self, n: int, seed: int) -> tuple[Tensor, Tensor | None]:
        """Raw samples of the training part to compute statistics of, (m, *shape), and
        the positions of those to use, (k,) with k at most n; None for all."""
        return self.seen(n, seed), None

    def describe(self) -> DataDescription:
        """What config.json records of the data."""
        return DataDescription(
            name=self.name,
            origin=self.origin,
            fingerprint=self.fingerprint,
            schema=self.schema,
            limits=self.limits,
            labels_in_python=self.labels_in_python,
            distribution=self.distribution,
            file_format=self.file_format,
        )

    def as_test(self) -> Source:
        """The same data, all of it to evaluate a generator that was trained on other
        data."""
        self.for_test = True
        return self


class DistributionSource(Source):
    """A built-in distribution, which is sampled afresh for every batch."""

    def __init__(self, distribution: Distribution) -> None:
        settings = json.dumps(distribution_settings(distribution), sort_keys=True)
        weights = distribution.mixture_weights()
        schema = Schema(
            shape=(distribution.dimension,),
            layout="N" if distribution.dimension == 1 else "ND",
            dtype="float64",
        )
        if weights is not None:
            schema = replace(
                schema,
                classes=tuple(range(len(weights))),
                class_counts=tuple(round(w * NOMINAL_SAMPLES) for w in weights),
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


class SplitSource(Source):
    """A source of rows that are split once: into those trained on and those held
    out."""

    split: Split

    @property
    def test_rows(self) -> int:
        return len(self._positions())

    def held_out(self, n: int, seed: int) -> Tensor:
        return self.split.held_out.draw(n, seed, self._positions())

    def validation(self, n: int, seed: int) -> Tensor:
        if self.split.own_validation is not None and not self.for_test:
            return self.split.own_validation.draw(n, seed)
        return self.split.held_out.draw(n, seed, self._positions(validation=True))

    def seen(self, n: int, seed: int) -> Tensor:
        return self.split.train.draw(n, seed)

    def labelled(self, n: int, seed: int, *, held_out: bool) -> tuple[Tensor, Tensor] | None:
        if held_out:
            return self.split.held_out.draw_labelled(n, seed, self._positions())
        return self.split.train.draw_labelled(n, seed)

    def _positions(self, *, validation: bool = False) -> Tensor:
        separate = self.has_validation and not self.for_test
        return self.split.positions(validation=validation, separate=separate)


class RowsSource(SplitSource):
    """Rows in memory.

    Args:
        name: What messages call the data.
        rows: All rows; those to train on where `test` is given.
        split_seed: Decides which rows are held out.
        test: Rows to hold out, and the positions of their classes, of data that comes
            with its own test split.
        fingerprint: That of the content, where it is known already.
        sums: Each image's sum of values and of their squares, (n, 2), where they are
            known already.
        limits: The range of images, where it is known already.
        own_split: The split that the data comes with.
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
        limits: tuple[float, float] | None = None,
        own_split: OwnSplit | None = None,
    ) -> None:
        if limits is None and rows.schema.is_image:
            limits = image_limits(rows.values)
        super().__init__(name, rows.schema, fingerprint or _fingerprint(rows), limits=limits)
        labels = None if rows.labels is None else torch.from_numpy(rows.labels)
        self._has_own_test = test is not None
        if test is None:
            found = own_or_seeded(len(rows.values), split_seed, own_split)
            self.split = Split(
                *(
                    TensorPart(
                        torch.from_numpy(np.take(rows.values, part.numpy(), axis=0)),
                        None if labels is None else labels[part],
                    )
                    for part in (found.train, found.held_out, found.validation)
                    if part is not None
                )
            )
            self.sums = None if sums is None else torch.from_numpy(sums[found.train.numpy()])
        else:
            values = torch.from_numpy(np.require(rows.values, requirements=["C", "W"]))
            test_labels = None if test[1] is None else torch.from_numpy(test[1])
            self.split = Split(
                TensorPart(values, labels), TensorPart(torch.from_numpy(test[0]), test_labels)
            )

    @property
    def is_digits(self) -> bool:
        return self.name == "mnist" and self._has_own_test

    @property
    def training_rows(self) -> int:
        return len(self.split.train)

    def statistics(self, n: int, seed: int) -> tuple[Tensor, Tensor | None]:
        train = self.split.train
        return train.take(), choose(torch.arange(len(train)), n, seed)

    def as_test(self) -> Source:
        """Half of it to compare with, and half for the baseline; MNIST has its own test
        split."""
        if not self.is_digits:
            parts = [self.split.train, self.split.held_out]
            parts += [] if self.split.own_validation is None else [self.split.own_validation]
            rows = torch.cat([part.take() for part in parts])
            labels = [part.labels for part in parts if part.labels is not None]
            all_labels = torch.cat(labels) if len(labels) == len(parts) else None
            order = torch.randperm(len(rows), generator=seeded(len(rows), Stream.SPLIT))
            half = len(rows) // 2
            held_out, train = (
                TensorPart(rows[part], None if all_labels is None else all_labels[part])
                for part in (order[:half], order[half:])
            )
            self.split: Split = Split(train, held_out)
        self.sums: Tensor | None = None
        return super().as_test()

    def loader(self, batch_size: int, encode: Encode, device: torch.device, seed: int) -> Loader:
        train = self.split.train
        rest = len(train), train.labels, seed, batch_size, encode, device
        if self.schema.is_image:
            # Images stay as they are, a quarter of the memory for uint8, and are
            # encoded batch by batch.
            raw = train.take().to(device)
            return IndexedLoader(lambda i: encode(raw[i]), *rest)
        encoded = encode(train.take()).to(device)
        return IndexedLoader(lambda i: encoded[i], *rest)


def _fingerprint(rows: Rows) -> str:
    digest = hashlib.sha256(f"{rows.values.shape} {rows.values.dtype}".encode())
    digest.update(np.ascontiguousarray(rows.values).data)
    if rows.labels is not None:
        digest.update(json.dumps(rows.schema.to_dict()["classes"]).encode())
        digest.update(rows.labels.data)
    return digest.hexdigest()

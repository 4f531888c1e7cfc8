"""Images in tars, as a listing like that of a folder."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from equipoise.data.images.arrangement import Arrangement, arrangement_of
from equipoise.data.images.form import Resizing
from equipoise.data.images.listing import LeftOut, Listing
from equipoise.data.images.place import Place
from equipoise.data.tars.samples import Samples, states_of


@dataclass(frozen=True, kw_only=True)
class TarListing(Listing):
    """The images in some shards."""

    samples: Samples = field(compare=False)
    name: str

    @classmethod
    def of(
        cls,
        root: Path,
        name: str,
        samples: Samples,
        passed_over: Sequence[LeftOut],
        resizing: Resizing,
    ) -> TarListing:
        """
        Args:
            root: What the user named.
            name: What messages call it.
            samples: Its samples.
            passed_over: Files beside the shards.
            resizing: How images are brought to one size.
        """
        states = states_of(samples.shards)
        return cls(
            root=root,
            names=samples.names,
            sizes=tuple(samples.sizes.tolist()),
            states=tuple(states[shard] for shard in samples.shard_of),
            passed_over=(*passed_over, *samples.passed_over),
            resizing=resizing,
            samples=samples,
            name=name,
        )

    @property
    def title(self) -> str:
        return self.name

    @cached_property
    def _index(self) -> dict[str, int]:
        return {name: index for index, name in enumerate(self.names)}

    def place(self, name: str) -> Place:
        return self.samples.member(self._index[name])

    def arrangement(self, names: Sequence[str]) -> Arrangement:
        """Labels beside the images; else folders within the shards, as those of a
        folder."""
        labels, notes = self.samples.labels, self.samples.notes
        if labels is not None:
            own = tuple(labels[self._index[name]] for name in names)
            return Arrangement(own, None, notes, from_file=True)
        inside = [self.samples.name_inside(self._index[name]) for name in names]
        found = arrangement_of(None, [name.replace("/", os.sep) for name in inside])
        return Arrangement(found.labels, found.parts, (*found.notes, *notes))

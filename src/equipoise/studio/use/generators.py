"""Generators that are loaded: a few, each used by one request at a time."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock, RLock
from typing import TYPE_CHECKING

from equipoise.errors import EquipoiseError, RequestError

if TYPE_CHECKING:
    from equipoise.api import GAN
    from equipoise.data.sources import Source
    from equipoise.report.trained_run import TrainedRun

MOST = 3  # that are held
FILE = "generator.safetensors"


class Loaded:
    """One generator, and its training data once that is asked for."""

    def __init__(self, path: Path, state: object) -> None:
        self.path, self.state, self.lock = path, state, RLock()
        self._gan: GAN | None = None
        self._source: Source | None = None
        self._without: str = ""

    @property
    def gan(self) -> GAN:
        """The GAN; the lock must be held.

        Raises:
            EquipoiseError: It has no generator yet, or its files are damaged.
        """
        if self._gan is None:
            from equipoise.api import GAN

            self._gan = GAN.load(self.path)
        return self._gan

    @property
    def run(self) -> TrainedRun:
        """All that is known of its training."""
        return self.gan._trained()

    @property
    def source(self) -> Source | None:
        """The training data; None where it cannot be opened again."""
        if self._source is None and not self._without:
            try:
                self._source = self.run.training_data()
            except EquipoiseError as error:
                self._without = str(error)
        return self._source

    @property
    def why_no_source(self) -> str:
        """Why `source` is None; empty where it is not."""
        return "" if self.source is not None else self._without


class Generators:
    """The generators of a studio."""

    def __init__(self) -> None:
        self._lock, self._loaded = Lock(), OrderedDict[Path, Loaded]()

    @contextmanager
    def use(self, path: Path) -> Iterator[Loaded]:
        """The generator of a run, as it is now: one that is saved anew is loaded anew.
        Others who want it wait.

        Raises:
            RequestError: It has none yet.
        """
        try:
            stat = (path / FILE).stat()
        except OSError:
            raise RequestError(
                f"{path.name} has no generator yet: the first is saved within a tenth of the "
                "training"
            ) from None
        state = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
        with self._lock:
            found = self._loaded.pop(path, None)
            if found is None or found.state != state:
                found = Loaded(path, state)
            self._loaded[path] = found
            while len(self._loaded) > MOST:
                self._loaded.popitem(last=False)
        with found.lock:
            yield found

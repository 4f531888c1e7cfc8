"""Data that trainings are started on: uploads and built-in sources, what was understood
of them, and what the user said. It is remembered beside the runs, in
`.studio/data/NAME`, so that every tab and the next server see the same."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from equipoise.errors import EquipoiseError, RequestError
from equipoise.studio import child
from equipoise.studio.channels import Channels
from equipoise.studio.training.jobs import MEMORY
from equipoise.studio.training.said import COLUMNS, settings_of
from equipoise.studio.training.uploads import Uploads, hidden_name
from equipoise.utils.atomic_io import read_file, write_atomic

CHANNEL, LIST = "data-", "uploads"
MAX_BYTES = 2**24  # of what is remembered
UNPACKED = ".zip"


def in_thread(work: Callable[..., object], *arguments: object) -> None:
    """Do something that the event loop must not wait for."""
    threading.Thread(target=work, args=arguments, daemon=True).start()


class Data:
    """The data of a studio.

    Args:
        folder: Of the runs, in which uploads have a folder of their own.
        max_upload: Bytes of one.
        channels: Those of the studio.
    """

    def __init__(self, folder: Path, max_upload: int, channels: Channels) -> None:
        self.folder, self.channels = folder, channels
        self.uploads = Uploads(folder / "uploads", max_upload)
        self._lock, self._busy = threading.Lock(), set[str]()
        self._estimating = threading.Lock()
        channels.when_watched(CHANNEL, lambda channel: in_thread(self._show, channel))
        channels.when_watched(LIST, lambda _: in_thread(self.show_list))

    def origin(self, name: str) -> str:
        """What `equipoise train` is given: a path, or the name of a built-in source.

        Raises:
            RequestError: There is none of this name.
        """
        from equipoise.data.named_sources import NAMED_SOURCES

        if name in NAMED_SOURCES and not (self.uploads.folder / name).exists():
            return name
        return str(self.uploads.path(name))

    def state(self, name: str) -> dict[str, Any]:
        """What was understood of data and what was said, as it is remembered.

        Returns:
            "name", "origin"; "busy": whether it is being read; "said"; "understood",
            None before it was read; "problem": why it could not be, or empty.
        """
        origin, kept = self.origin(name), self._remembered(name)
        return {
            "name": name,
            "origin": origin,
            "busy": name in self._busy,
            "said": kept.get("said", {}),
            "understood": kept.get("understood"),
            "problem": kept.get("problem", ""),
        }

    def understand(self, name: str, said: Mapping[str, Any]) -> dict[str, Any]:
        """Read data, with what the user says of it, and remember the result. It is
        pushed to all pages that show it.

        Raises:
            RequestError: It is being read, or is not there. What is wrong with the data
                itself is the state's "problem".
        """
        origin = self.origin(name)
        settings_of(said)
        with self._lock:
            if name in self._busy:
                raise RequestError(f"{name} is being read: wait for the end")
            self._busy.add(name)
        self._push(name)
        kept = {**self._remembered(name), "said": dict(said), "problem": ""}
        try:
            columns = str(self._columns_file(name))
            self._memory(name).mkdir(parents=True, exist_ok=True)
            kept["understood"] = child.call(
                "understand", {"data": origin, "said": dict(said), "columns_file": columns}
            )
        except EquipoiseError as error:
            kept["problem"] = str(error)
        finally:
            with self._lock:
                self._busy.discard(name)
        write_atomic(self._memory(name) / "data.json", json.dumps(kept).encode())
        self._push(name)
        return self.state(name)

    def choices(self, name: str, more: Mapping[str, Any]) -> dict[str, Any]:
        """The settings of a training on data: what was said of it, and others.

        Raises:
            RequestError: It cannot be read with what was said.
        """
        self.origin(name)
        kept = self._remembered(name)
        if kept.get("problem"):
            raise RequestError(kept["problem"])
        said = kept.get("said", {})
        found = settings_of(said)
        if said.get(COLUMNS) and self._columns_file(name).is_file():
            found[COLUMNS] = str(self._columns_file(name))
        return {**found, **more}

    def estimate(self, name: str, recipe: str, more: Mapping[str, Any]) -> dict[str, Any]:
        """How long a training takes. One is measured at a time. Raises as
        `training.estimates.estimate`."""
        choices = {key: value for key, value in self.choices(name, more).items() if value != ""}
        asked = {"data": self.origin(name), "recipe": recipe, "choices": choices}
        with self._estimating:
            return child.call("estimate", asked)

    def unpacked(self, name: str) -> str:
        """Unpack an upload if it is an archive of images, and return the name of what
        there is then.

        Raises:
            RequestError: It is damaged, or too large. It is removed then.
        """
        if not name.lower().endswith(UNPACKED):
            return name
        archive = self.uploads.path(name)
        aside = self.uploads.folder / hidden_name()
        try:
            found = child.call(
                "unpack",
                {
                    "archive": str(archive),
                    "folder": str(aside),
                    "max_bytes": self.uploads.max_bytes,
                },
            )
            if not found["files"]:
                return name
            placed = self.uploads.place(aside, name[: -len(UNPACKED)])
        except EquipoiseError:
            archive.unlink(missing_ok=True)
            raise
        finally:
            shutil.rmtree(aside, ignore_errors=True)
        archive.unlink()
        return placed

    def remove(self, name: str) -> None:
        """Remove an upload, and what is remembered of it."""
        self.uploads.remove(name)
        shutil.rmtree(self._memory(name), ignore_errors=True)
        self.channels.forget(CHANNEL + name)
        self.show_list()

    def show_list(self) -> None:
        """Push the list of uploads and built-in sources."""
        from equipoise.data.named_sources import NAMED_SOURCES

        uploads = [
            {
                "name": one.name,
                "bytes": one.bytes,
                "files": one.files,
                "is_folder": one.is_folder,
                "described": (self._remembered(one.name).get("understood") or {}).get("described"),
            }
            for one in self.uploads.all()
        ]
        sources = [{"name": name, "summary": text} for name, text in NAMED_SOURCES.items()]
        self.channels.publish(LIST, {"uploads": uploads, "sources": sources})

    def _show(self, channel: str) -> None:
        """Push what is remembered of data that a page begins to show."""
        with suppress(EquipoiseError):
            self._push(channel.removeprefix(CHANNEL))

    def _push(self, name: str) -> None:
        self.channels.publish(CHANNEL + name, self.state(name))

    def _remembered(self, name: str) -> dict[str, Any]:
        try:
            kept = json.loads(read_file(self._memory(name) / "data.json", MAX_BYTES))
        except (OSError, ValueError):
            return {}
        return kept if isinstance(kept, dict) else {}

    def _columns_file(self, name: str) -> Path:
        return self._memory(name) / "columns.toml"

    def _memory(self, name: str) -> Path:
        return self.folder / MEMORY / "data" / name

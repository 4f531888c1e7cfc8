"""How images are read, where the user has a say: the settings of a run that only
concern the reading of its data."""

from __future__ import annotations

from dataclasses import dataclass

from equipoise.data import AskedLayout
from equipoise.data.images.form import AS_FOUND, Resizing, as_typed
from equipoise.data.schema import Schema
from equipoise.errors import RequestError


@dataclass(frozen=True)
class ImageOptions:
    """What the user asked for, and nothing that was found. None leaves it to the
    data."""

    layout: AskedLayout | None = None
    """Of an array: images, (N, C, H, W), (N, H, W, C) or (N, H, W); or windows of
    series, (N, T, C)."""
    alpha: bool | None = None
    """Whether the fourth channel is transparency."""
    resizing: Resizing = AS_FOUND
    """Of a folder."""

    def check(self, name: str, schema: Schema, *, is_folder: bool) -> None:
        """Check that nothing was asked for that means nothing for this data.

        Raises:
            RequestError: If something was.
        """
        if self.layout is not None and (is_folder or schema.layout != self.layout):
            kinds = {"NTC": "windows of series", "NHW": "grey images"}
            kind = kinds.get(self.layout, "images with channels")
            raise RequestError(
                f"layout = {self.layout!r}: {name} is no array of {kind}; leave it out"
            )
        if self.alpha and not schema.alpha:
            raise RequestError(f"alpha = True: {name} has no channel for it; leave it out")
        asked = {
            "size": as_typed(self.resizing.size),
            "crop": as_typed(self.resizing.crop),
            "fit": self.resizing.fit or None,
        }
        given = [f"{setting} = {value}" for setting, value in asked.items() if value is not None]
        if given and not is_folder:
            raise RequestError(
                f"{given[0]}: {name} is no folder of images, which alone are resized; leave it out"
            )

"""What the parts of the studio share."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from equipoise.studio.channels import Channels

GIB = 2**30


@dataclass
class Studio:
    """The studio of one server. All tabs see the same one."""

    runs: tuple[Path, ...] = ()
    """Runs that were named on the command line."""
    folder: Path = Path("runs")
    """Where new runs and uploads are written, and where runs are looked for."""
    max_upload: int = 2 * GIB
    """Bytes of an upload."""
    token: str | None = None
    """What a request must know; None on loopback, where none is needed."""
    hosts: tuple[str, ...] = ()
    """Names of this machine in the address of the page, beside those of loopback."""
    channels: Channels = field(default_factory=Channels)

"""Equipoise trains generative adversarial networks that anyone can depend on, and says
honestly how good they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from equipoise.api import GAN

__version__ = "0.1.0"
__all__ = ["GAN", "__version__"]


def __getattr__(name: str) -> Any:
    """GAN is imported when it is first asked for, so that `equipoise --help` need not
    wait for torch."""
    if name == "GAN":
        from equipoise.api import GAN

        return GAN
    raise AttributeError(f"module 'equipoise' has no attribute {name!r}")

"""Equipoise trains generative adversarial networks (GANs) and measures how good their
samples are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from equipoise.api import GAN
    from equipoise.sweeps.sweep import sweep

__version__ = "0.1.0"
__all__ = ["GAN", "__version__", "sweep"]


def __dir__() -> list[str]:
    return __all__


def __getattr__(name: str) -> Any:
    """Import GAN and sweep at their first use, so that `equipoise --help` does not
    import torch."""
    if name == "GAN":
        from equipoise.api import GAN

        return GAN
    if name == "sweep":
        from equipoise.sweeps.sweep import sweep

        return sweep
    raise AttributeError(f"module 'equipoise' has no attribute {name!r}")

"""Data: sources, schema, readers, labels and loading."""

from typing import Literal

ScalingKind = Literal[
    "standard", "unit"
]  # here, because the command line reads it without loading what scaling needs

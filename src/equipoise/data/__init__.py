"""Data: sources, schema, readers, labels and loading."""

from typing import Literal

# Here, so that the command line need not import what scaling needs.
ScalingKind = Literal["standard", "unit"]

"""Data: sources, schema, readers, labels and loading."""

from typing import Literal

# Here, so that the command line need not import what reads and scales data.
ScalingKind = Literal["standard", "unit"]
AskedLayout = Literal["NCHW", "NHWC", "NHW", "NTC"]

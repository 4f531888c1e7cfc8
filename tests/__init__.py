"""Tests. Each process that runs them uses one thread, so that two side by side do not
fight for cores: said here, before torch is imported."""

import os

os.environ["OMP_NUM_THREADS"] = "1"

"""Metrics of windows of series."""

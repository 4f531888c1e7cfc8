"""Utilities: atomic files, facts of the machine, prefetching, formatting."""

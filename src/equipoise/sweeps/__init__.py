"""Sweeps: a search over the fields of a recipe, and what is left of its gain on fresh
seeds."""

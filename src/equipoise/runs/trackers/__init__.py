"""Experiment trackers, which record curves, images and messages of a training: what a
tracker is in `base`, which there are in `registry`, one tracker a file."""

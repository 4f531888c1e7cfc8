"""Figures that say how far generated samples are from real ones, each with its protocol
and its floor."""

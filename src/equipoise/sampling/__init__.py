"""Sampling: from latents to samples in the user's units."""

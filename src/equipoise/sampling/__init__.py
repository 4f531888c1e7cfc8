"""From latents to samples in the user's units."""

"""Learn: a small training that is watched and steered in the browser."""

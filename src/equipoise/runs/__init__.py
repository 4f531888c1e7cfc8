"""Run directories: their files and settings."""

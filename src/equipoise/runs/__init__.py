"""What is on disk: run directories, their files and their settings."""

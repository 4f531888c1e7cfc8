"""What any package may use: files, facts of the machine, prefetching, formatting."""

"""What any package may use: whole files, facts of the machine, prefetching, formatting."""

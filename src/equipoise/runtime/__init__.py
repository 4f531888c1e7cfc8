"""The machine: devices, the state of the process, counted operations."""

"""Benchmarks: commands that measure, and write what they measured into RESULTS.md.

Not tests: nothing here gates a change.
"""

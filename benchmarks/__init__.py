"""Benchmarks: commands that measure, and write what they measured into results/, of
which RESULTS.md is rendered.

Not tests: nothing here gates a change.
"""

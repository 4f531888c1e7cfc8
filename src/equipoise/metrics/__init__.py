"""Metrics of how far generated samples are from real ones, each with its protocol and
its baseline, the same metric of real samples."""

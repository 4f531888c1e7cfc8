"""Tars of samples, as WebDataset lays them out: files whose names differ in their
endings alone are one sample. Nothing is unpacked to disk."""

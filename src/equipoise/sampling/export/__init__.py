"""Generators for other programs: ONNX, torch.export and a page for browsers."""

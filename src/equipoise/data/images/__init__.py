"""Folders of images: listing, decoding, caching."""

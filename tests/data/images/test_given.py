"""Images that are given to a generator by path."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from equipoise.data.images.given import images_at
from equipoise.data.schema import Schema
from equipoise.errors import RequestError

SCHEMA = Schema((3, 8, 8), "NHWC", "uint8")


def test_hidden_images_of_a_folder_are_not_given(tmp_path: Path, image: Callable[..., Any]) -> None:
    root = tmp_path / ".cache"
    image(root / ".thumbnails/a.png")
    with pytest.raises(RequestError, match="there are no images in this folder"):
        images_at(root, SCHEMA, None)
    pixels = image(root / "b.png", seed=1)
    images = images_at(root, SCHEMA, None)
    assert images is not None
    assert images.tolist() == [pixels.transpose(2, 0, 1).tolist()]

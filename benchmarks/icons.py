"""Icons with transparency: those of Material Design, which mkdocs-material ships, each
in a colour of its own. Needs `pip install 'equipoise[docs]' resvg-py`."""

from __future__ import annotations

import colorsys
import io
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray
from PIL import Image

SIDE = 64


def draw_icons(count: int, seed: int) -> NDArray[np.uint8]:
    """Different icons as RGBA, (N, 64, 64, 4), transparent around the strokes."""
    import resvg_py

    folder = files("material") / "templates" / ".icons" / "material"
    names = sorted(file.name for file in folder.iterdir() if file.name.endswith(".svg"))
    rng = np.random.default_rng(seed)
    images = []
    for name in rng.permutation(names)[:count]:
        hue, saturation, value = rng.uniform((0, 0.5, 0.4), (1, 1, 0.9))
        red, green, blue = (
            round(255 * part) for part in colorsys.hsv_to_rgb(hue, saturation, value)
        )
        svg = (folder / str(name)).read_text()
        colored = svg.replace("<path", f'<path fill="#{red:02x}{green:02x}{blue:02x}"')
        png = resvg_py.svg_to_bytes(svg_string=colored, width=SIDE, height=SIDE)
        images.append(np.asarray(Image.open(io.BytesIO(bytes(png))).convert("RGBA")))
    return np.stack(images)

# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Your own pictures
#
# A folder of images is all that is needed. Subfolders are classes. This notebook
# makes a folder of flat shapes first; put your own in its place.

# %%
# %pip install --quiet equipoise

# %%
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

folder = Path("my-images")
rng = np.random.default_rng(0)
for shape in ("disk", "square"):
    (folder / shape).mkdir(parents=True, exist_ok=True)
    for i in range(400):
        picture = Image.new("RGB", (32, 32), tuple(int(c) for c in rng.integers(0, 90, 3)))
        x, y, r = (int(v) for v in rng.integers([10, 10, 5], [22, 22, 9]))
        color = tuple(int(c) for c in rng.integers(120, 256, 3))
        draw = ImageDraw.Draw(picture)
        (draw.ellipse if shape == "disk" else draw.rectangle)((x - r, y - r, x + r, y + r), color)
        picture.save(folder / shape / f"{i}.png")

# %% [markdown]
# What is understood of it, before anything is trained:

# %%
# !equipoise describe my-images

# %% [markdown]
# `size=` brings pictures of many sizes to one. `minutes=` is how long to train: give
# it as long as you have. `pip install 'equipoise[photos]'` makes colour pictures far
# better.

# %%
from equipoise import GAN

gan = GAN(seed=0, size=32, conditional=True, minutes=3).fit(folder, out="runs/shapes")
gan.draw("samples.png")
Image.open("samples.png")

# %% [markdown]
# Samples of one class, as files of the same kind as yours:

# %%
gan.write_samples("new-disks", 20, label="disk", seed=0)
print(len([*Path("new-disks").rglob("*.png")]))

# %% [markdown]
# The report page has samples beside the nearest training images, curves, and what to
# do next. `equipoise train --resume runs/shapes --minutes 10` goes on.

# %%
print(gan.evaluate(quick=True))

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
# # The tutorial's two examples
#
# A GAN learns a distribution from samples of it. First the normal distribution N(4,
# 1.25), where 1.25 is the standard deviation, then handwritten digits. "What is a
# GAN?" in the documentation has the theory.

# %%
# %pip install --quiet equipoise

# %% [markdown]
# ## A bell curve
#
# `GAN()` is the recipe `balanced`. `fit` takes the name of a built-in source. Some
# seconds on one core are enough.

# %%
from equipoise import GAN

gan = GAN(seed=0).fit("gaussian")
print(gan.evaluate(quick=True))

# %% [markdown]
# Each metric stands beside its baseline: the value of as many real samples. No
# generator can be expected to do better. W1 is how far values must move, on average,
# for the two distributions to be equal.

# %%
gan.draw("bell.png")

from IPython.display import Image

Image("bell.png")

# %% [markdown]
# The recipe that most tutorials have, with their networks and their loss, for
# comparison. It finds the mean and the standard deviation, and misses the shape.

# %%
sees = {"discriminator_sees": "batch-spread", "latent": "uniform"}
classic = GAN("classic", seed=0, samples=1_000_000, **sees).fit("gaussian")
print(classic.evaluate(quick=True))

# %% [markdown]
# ## Digits
#
# Ten minutes are better; two show what happens. MNIST is downloaded once, and checked
# by its SHA-256. Labels are learned, so that a digit can be asked for.

# %%
digits = GAN(seed=0, conditional=True, minutes=2).fit("mnist")
digits.draw("digits.png")
Image("digits.png")

# %%
sevens = digits.sample(16, label=7, seed=1)
print(sevens.shape, sevens.dtype)
print(digits.evaluate(quick=True))

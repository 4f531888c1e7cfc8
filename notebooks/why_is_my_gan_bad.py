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
# # Why is my GAN bad?
#
# Losses do not say how good a GAN is. Equipoise measures the samples, gives the
# trouble its name, and says what to type next. Three sick trainings on a ring of
# eight modes show it.

# %%
# %pip install --quiet equipoise

# %%
from equipoise import GAN


def verdict(gan):
    """The verdict of a report, and its advice."""
    found = gan.evaluate(quick=True).verdict
    print(f"{found.name} ({found.sure}): {found.sentence}\n{found.advice}")


# %% [markdown]
# ## A healthy one, to compare with

# %%
verdict(GAN(seed=0, samples=500_000).fit("ring"))

# %% [markdown]
# ## D learns too fast
#
# D's learning rate is a hundred times that of G, there are no clusters to help, and
# the penalties that would hold it are off.

# %%
sick = dict(clusters=0, gamma=0.0, discriminator_rate=100.0, samples=200_000)
verdict(GAN(seed=0, **sick).fit("ring"))

# %% [markdown]
# ## Too little training
#
# Without clusters, which find the modes before anything is learned.

# %%
verdict(GAN(seed=0, clusters=0, samples=10_000).fit("ring"))

# %% [markdown]
# ## A method that does not converge
#
# The original loss, without anything that came later:

# %%
classic = GAN("classic", seed=0, samples=500_000).fit("ring")
verdict(classic)

# %% [markdown]
# What each metric measures, in a line:

# %%
print(classic.evaluate(quick=True).explained())

# %% [markdown]
# A run directory keeps all of this: `equipoise evaluate RUN --explain` prints it, and
# `report.html` draws it. "Is it any good?" in the documentation has every verdict.

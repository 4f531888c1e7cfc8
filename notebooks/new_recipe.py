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
# # A new recipe in fifteen minutes
#
# A recipe is one method: its losses, its penalties, its networks. The engine does the
# rest: resuming, reports, the command line. Here it is the hinge loss with a margin,
# and a penalty on D's outputs.

# %%
# %pip install --quiet equipoise

# %% [markdown]
# The fields of the dataclass are the settings. Their bounds are checked, and their
# docstrings are the help.

# %%
from dataclasses import dataclass
from typing import Annotated

from equipoise import GAN
from equipoise.coerce import Ge, Gt
from equipoise.recipes.base import register
from equipoise.recipes.dcgan_family import Standard
from equipoise.recipes.method import Losses
from equipoise.recipes.output import Score


@register
@dataclass(frozen=True, kw_only=True)
class Hinge(Standard):
    """The hinge loss with a margin, and a drift penalty."""

    name = "my-hinge"
    summary = "hinge loss with a margin"
    paper = "Lim & Ye 2017, Geometric GAN; Karras et al. 2018 (drift)"

    margin: Annotated[float, Gt(0)] = 1.0
    """Distance from zero up to which D is pulled."""
    drift: Annotated[float, Ge(0)] = 1e-3
    """Weight of the squares of D's outputs."""

    def build(self, space):
        from equipoise import losses

        pair = Losses(
            lambda real, fake: losses.hinge_discriminator(real / self.margin, fake / self.margin),
            lambda real, fake: losses.wasserstein_generator(fake),
        )

        def penalty(batch):
            return {"drift": self.drift * batch.logits.square().mean()}

        return self.method(self.networks(space), pair, Score(), penalty=penalty)


# %% [markdown]
# It is used like any other, by its name:

# %%
gan = GAN("my-hinge", seed=0, margin=0.5, samples=500_000).fit("gaussian")
print(gan.evaluate(quick=True))

# %% [markdown]
# A wrong setting is refused in one line:

# %%
from equipoise.errors import RequestError

try:
    GAN("my-hinge", margin=-1.0)
except RequestError as error:
    print(error)

# %% [markdown]
# Against the default, with the same seed and length:

# %%
default = GAN(seed=0, samples=500_000).fit("gaussian")
for name, one in (("my-hinge", gan), ("balanced", default)):
    metric = one.evaluate(quick=True).metrics[0]
    print(f"{name}: {metric.key} {metric.value:.4f}, real samples {metric.baseline:.4f}")

# %% [markdown]
# "Your own recipe" in the documentation has the parts of a method, and how a package
# offers its recipe to every program.

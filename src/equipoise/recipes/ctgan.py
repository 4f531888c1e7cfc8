"""ctgan: the conditional GAN for tables.

Xu, Skoularidou, Cuesta-Infante, Veeramachaneni: "Modeling Tabular data using
Conditional GAN", NeurIPS 2019, section 4.

    L_D = mean D(x') - mean D(x) + lambda mean (|grad D(e x + (1 - e) x')| - 1)^2
    L_G = -mean D(x') + H

x and x' are packs of 10 rows with their conditions, e is one fraction for each pack.

- A number is a mode of its column and its place within the mode
  (`transforms.mode_normalization`).
- Both networks are told one category of one column that the row has, by a conditional
  vector (`transforms.category_conditions`). H is the cross-entropy of this category and
  the one that G makes in its place (`networks.ctgan`).
- Rows are drawn by category, rare ones more often than they are
  (`data.training_by_sampling`).
- G has residual layers and ends in tanh and Gumbel-softmax (`networks.ctgan`). D has
  two layers of LeakyReLU(.2) and dropout. It is a Wasserstein critic with a gradient
  penalty (Gulrajani et al. 2017) on packs (Lin et al. 2018).
- Adam with a learning rate of 2e-4 and betas of .5 and .9, weight decay in G. The
  authors' package has it in D, too.

A column always has ten entries for its modes, of which those that it does not have are
never used. H is the paper's, of the Gumbel-softmax; the authors' code has the logits.
Real and generated packs have the same conditions, as in the paper's algorithm 1, and
G's step has those of D's. The paper trains for 300 epochs, on Adult 9 million rows.
The defaults are the paper's (section 4.4 and appendix) and so `preset="paper"` has the
same values.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from equipoise.coerce import Ge, Le, Lt
from equipoise.errors import RequestError
from equipoise.ranges import Around, Between, Doublings
from equipoise.recipes.base import MAX_UNITS, Recipe, register
from equipoise.recipes.method import (
    CriticBatch,
    GeneratorBatch,
    Losses,
    Method,
    Networks,
    Rates,
)
from equipoise.recipes.output import Critic
from equipoise.transforms.space import TableKind, places_of

if TYPE_CHECKING:
    from torch import Tensor, nn

    from equipoise.transforms.space import NetworkSpace

HIDDEN_LAYERS = 2  # of D
MAX_CATEGORIES = 2**16  # of all columns together: the classes that networks can have


@register
@dataclass(frozen=True, kw_only=True)
class CTGAN(Recipe):
    """A conditional Wasserstein GAN on modes and categories, for tables."""

    name = "ctgan"
    summary = "for tables: modes of numbers, rows drawn by category, packs of ten"
    paper = "Xu et al. 2019, Modeling Tabular data using Conditional GAN"
    takes_labels = False
    tables_only = True
    published_for = "tables"
    table_kind: ClassVar[TableKind] = "modes"

    batch_size: Annotated[int, Ge(2), Le(2**31)] = 500
    """Samples in a batch."""
    packing: int = 10
    """Samples that D sees at once, all real or all generated."""
    learning_rate: float = 2e-4
    """Adam's learning rate at the start."""
    learning_rate_end: float = 1.0
    """Fraction of the learning rate left at the end of a cosine decay. 1: constant."""
    beta1: float = 0.5
    """Adam's first beta: momentum."""
    beta2: float = 0.9
    """Adam's second beta, or RMSProp's smoothing constant."""
    weight_decay: float = 1e-6
    """Factor of G's weights that joins their gradients (L2 penalty)."""
    ema_half_life: float = 0
    """Half-life of the EMA of G's weights, in samples seen. 0: no EMA."""
    penalty: Annotated[float, Ge(0), Around(10)] = 10.0
    """Weight lambda of the gradient penalty."""
    dropout: Annotated[float, Ge(0), Lt(1), Between(0, 0.7)] = 0.5
    """Fraction of D's hidden units dropped in training."""
    latent_dim: Annotated[int, Ge(1), Le(MAX_UNITS)] = 128
    """Latent dimension."""
    width: Annotated[int, Ge(1), Le(MAX_UNITS), Doublings(1)] = 256
    """Hidden units of each layer."""

    @classmethod
    def published(cls, space: NetworkSpace) -> dict[str, Any] | None:
        return {
            "batch_size": 500,
            "packing": 10,
            "optimizer": "adam",
            "learning_rate": 2e-4,
            "learning_rate_end": 1.0,
            "discriminator_rate": 1.0,
            "beta1": 0.5,
            "beta2": 0.9,
            "weight_decay": 1e-6,
            "discriminator_steps": 1,
            "ema_half_life": 0,
            "penalty": 10.0,
            "dropout": 0.5,
            "latent_dim": 128,
            "width": 256,
        }

    def check(self, space: NetworkSpace) -> None:
        super().check(space)
        categories = len(places_of(space.spans, "one_hot"))
        if categories > MAX_CATEGORIES:
            raise RequestError(
                f"the columns have {categories:,} categories together, and {self.name} takes at "
                f"most {MAX_CATEGORIES:,}: leave columns out, or use the recipe 'balanced'"
            )

    def build(self, space: NetworkSpace) -> Method:
        from equipoise import losses, penalties
        from equipoise.networks.conditioning import Generator
        from equipoise.networks.ctgan import ModeGenerator, ResidualLayers, condition_loss
        from equipoise.networks.latents import Prior

        layers = ResidualLayers(self.latent_dim + space.classes, self.width, space.size)
        generator = ModeGenerator(Generator(layers, space.classes), space.spans)
        categories = places_of(space.spans, "one_hot")

        def gradient_penalty(batch: CriticBatch) -> dict[str, Tensor]:
            points = penalties.between(batch.real, batch.fake, batch.randomness)
            norms = penalties.norm_penalties(batch.discriminate(points), points)
            return {"gradient_penalty": norms.mean()}

        def conditions_met(batch: GeneratorBatch) -> tuple[Tensor, dict[str, Tensor]]:
            assert batch.y is not None, "a table with categories has conditions"
            term = condition_loss(batch.x[:, categories], batch.y)
            return term, {"condition_loss": term}

        return self.method(
            Networks(
                generator,
                self.discriminator(space),
                Prior(self.latent_dim, draws=generator.noise),
            ),
            Losses(losses.wasserstein_critic, lambda _, fake: losses.wasserstein_generator(fake)),
            Critic(),
            penalty=gradient_penalty,
            penalty_at="elsewhere",
            generator_penalty=conditions_met if space.classes else None,
        )

    def discriminator(self, space: NetworkSpace) -> nn.Module:
        from torch import nn

        from equipoise.networks.conditioning import Discriminator
        from equipoise.networks.mlp import Dropout, activation

        layers: list[nn.Module] = []
        units = space.size + space.classes
        for _ in range(HIDDEN_LAYERS):
            layers += [
                nn.Linear(units, self.width),
                activation("leaky_relu"),
                Dropout(self.dropout),
            ]
            units = self.width
        return Discriminator(nn.Sequential(*layers), units, space.classes, "concatenation")

    def schedule(self, progress: float, samples_seen: int = 0) -> Rates:
        return replace(super().schedule(progress, samples_seen), penalty=self.penalty)

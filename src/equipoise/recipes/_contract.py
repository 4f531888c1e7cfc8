"""Check what a recipe's functions return, once before a training's first step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from equipoise.errors import EquipoiseError
from equipoise.recipes.method import AuxOutputs, CriticBatch, Method

# Size of the batch of zeros that the functions are called with.
SMALL_BATCH = 4


@torch.enable_grad()
def check_contract(
    method: Method, recipe: str, shape: tuple[int, ...], batch_size: int, labelled: bool
) -> None:
    """Call each loss, the penalty and the auxiliary loss of a method once, on zeros.

    The training's random generators and the networks are not changed.

    Args:
        method: The method.
        recipe: The recipe's name, for messages.
        shape: Of a sample as the networks see it.
        batch_size: Samples in a batch.
        labelled: Whether the networks are given classes.

    Raises:
        EquipoiseError: A function returns a value that `Method` does not allow.
    """
    checked = checked_method(method, recipe)
    checked.discriminator_loss(torch.zeros(batch_size), torch.zeros(batch_size))
    checked.generator_loss(torch.zeros(batch_size), torch.zeros(batch_size))
    if checked.penalty is None and checked.auxiliary is None:
        return
    try:
        _call_on_zeros(checked, shape, min(SMALL_BATCH, batch_size), labelled)
    except RuntimeError:  # a D that sees a batch as one vector takes no other size
        _call_on_zeros(checked, shape, batch_size, labelled)


def _call_on_zeros(checked: Method, shape: tuple[int, ...], n: int, labelled: bool) -> None:
    """Call the penalty and the auxiliary loss on n real and n generated samples."""
    critic, was_training = checked.discriminator, checked.discriminator.training
    y = torch.zeros(n, dtype=torch.int64) if labelled else None
    both = torch.zeros(2 * n, *shape, requires_grad=True)
    critic.eval()  # does not update BatchNorm statistics and singular vectors
    logits, aux = critic(both, None if y is None else torch.cat([y, y]))
    generator = torch.Generator().manual_seed(0)
    if checked.penalty is not None:
        checked.penalty(CriticBatch(both, logits, lambda at: critic(at, y)[0], generator))
    if checked.auxiliary is not None:
        real, fake = aux.chunk(2)
        z = torch.zeros(n, checked.prior.width)
        checked.auxiliary(AuxOutputs(real, fake, y, z, generator))
    critic.train(was_training)


def checked_method(method: Method, recipe: str) -> Method:
    """The method with functions that check their results.

    Args:
        method: The method of any recipe.
        recipe: The recipe's name, for messages.

    Returns:
        The method. Its functions raise an EquipoiseError for a result that `Method`
        does not allow.
    """

    def scalar(value: Any, what: str) -> Tensor:
        if not isinstance(value, Tensor):
            actual = f"a {type(value).__name__}"
        elif value.dim():
            actual = f"a tensor of shape {tuple(value.shape)}"
        elif not value.is_floating_point():
            actual = f"a tensor of {value.dtype}"
        else:
            return value
        raise EquipoiseError(
            f"the recipe {recipe!r}: its {what} is {actual}, and must be one number, a tensor "
            "of shape (): take the mean over the batch"
        )

    def loss(
        function: Callable[[Tensor, Tensor], Tensor], what: str
    ) -> Callable[[Tensor, Tensor], Tensor]:
        return lambda real, fake: scalar(function(real, fake), what)

    def penalty(batch: CriticBatch) -> dict[str, Tensor]:
        assert method.penalty is not None, "called only if there is one"
        terms = method.penalty(batch)
        if not isinstance(terms, dict):
            raise EquipoiseError(
                f"the recipe {recipe!r}: its penalty is a {type(terms).__name__}, and must "
                "be a dict"
            )
        return {name: scalar(term, f"penalty {name!r}") for name, term in terms.items()}

    def auxiliary(outputs: AuxOutputs) -> tuple[Tensor, dict[str, Tensor]]:
        assert method.auxiliary is not None, "called only if there is one"
        result = method.auxiliary(outputs)
        if not (isinstance(result, tuple) and len(result) == 2 and isinstance(result[1], dict)):
            raise EquipoiseError(
                f"the recipe {recipe!r}: its auxiliary loss must be a term and a dict of readings"
            )
        term, readings = result
        return scalar(term, "auxiliary loss"), {
            n: scalar(r, f"reading {n!r}") for n, r in readings.items()
        }

    return replace(
        method,
        discriminator_loss=loss(method.discriminator_loss, "discriminator loss"),
        generator_loss=loss(method.generator_loss, "generator loss"),
        penalty=penalty if method.penalty is not None else None,
        auxiliary=auxiliary if method.auxiliary is not None else None,
    )

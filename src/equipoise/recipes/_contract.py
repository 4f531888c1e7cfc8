"""Check what a recipe's functions return, once before a training's first step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

import torch
from torch import Tensor

from equipoise.errors import EquipoiseError
from equipoise.recipes.method import AuxOutputs, CriticBatch, GeneratorBatch, Method

# Size of the batch of zeros that the functions are called with.
SMALL_BATCH = 4
Batch = TypeVar("Batch")
Term = tuple[Tensor, dict[str, Tensor]]


@torch.enable_grad()
def check_contract(
    method: Method, recipe: str, shape: tuple[int, ...], batch_size: int, labelled: bool
) -> None:
    """Call each loss, penalty and auxiliary loss of a method once, on zeros.

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
    if not (checked.penalty or checked.generator_penalty or checked.auxiliary):
        return
    try:
        small = min(SMALL_BATCH * checked.packing.size, batch_size)
        _call_on_zeros(checked, shape, small, labelled)
    except RuntimeError:  # a D that sees a batch as one vector takes no other size
        _call_on_zeros(checked, shape, batch_size, labelled)


def _call_on_zeros(checked: Method, shape: tuple[int, ...], n: int, labelled: bool) -> None:
    """Call the penalties and the auxiliary loss on n real and n generated samples."""
    critic, was_training = checked.discriminator, checked.discriminator.training
    pack, x = checked.packing, torch.zeros(n, *shape)
    y = torch.zeros(n, dtype=torch.int64) if labelled else None
    both, y_d = pack.join(torch.cat([x, x])).requires_grad_(), pack.join_classes(y)
    critic.eval()  # does not update BatchNorm statistics and singular vectors
    logits, aux = critic(both, None if y_d is None else torch.cat([y_d, y_d]))
    generator = torch.Generator().manual_seed(0)
    if checked.penalty is not None:
        checked.penalty(CriticBatch(both, logits, lambda at: critic(at, y_d)[0], generator))
    z = torch.zeros(n, checked.prior.width)
    if checked.generator_penalty is not None:
        checked.generator_penalty(GeneratorBatch(z, y, generator, x))
    if checked.auxiliary is not None:
        real, fake = aux.chunk(2)
        view = None
        if checked.view is not None:
            view = critic(pack.join(checked.view(x, generator)), y_d)[1]
        checked.auxiliary(AuxOutputs(real, fake, y, z, generator, view))
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

    def loss(
        function: Callable[[Tensor, Tensor], Tensor], what: str
    ) -> Callable[[Tensor, Tensor], Tensor]:
        return lambda real, fake: _scalar(function(real, fake), what, recipe)

    def penalty(batch: CriticBatch) -> dict[str, Tensor]:
        assert method.penalty is not None, "called only if there is one"
        terms = method.penalty(batch)
        if not isinstance(terms, dict):
            raise EquipoiseError(
                f"the recipe {recipe!r}: its penalty is a {type(terms).__name__}, and must "
                "be a dict"
            )
        return {name: _scalar(term, f"penalty {name!r}", recipe) for name, term in terms.items()}

    return replace(
        method,
        discriminator_loss=loss(method.discriminator_loss, "discriminator loss"),
        generator_loss=loss(method.generator_loss, "generator loss"),
        penalty=penalty if method.penalty is not None else None,
        generator_penalty=_checked_term(method.generator_penalty, "generator's penalty", recipe),
        auxiliary=_checked_term(method.auxiliary, "auxiliary loss", recipe),
    )


def _checked_term(
    function: Callable[[Batch], Term] | None, what: str, recipe: str
) -> Callable[[Batch], Term] | None:
    """A function that returns a term and readings, with both checked; None for None."""
    if function is None:
        return None

    def checked(batch: Batch) -> Term:
        result = function(batch)
        if not (isinstance(result, tuple) and len(result) == 2 and isinstance(result[1], dict)):
            raise EquipoiseError(
                f"the recipe {recipe!r}: its {what} must be a term and a dict of readings"
            )
        term, readings = result
        return _scalar(term, what, recipe), {
            name: _scalar(reading, f"reading {name!r}", recipe)
            for name, reading in readings.items()
        }

    return checked


def _scalar(value: Any, what: str, recipe: str) -> Tensor:
    """The value, if it is one floating-point number."""
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

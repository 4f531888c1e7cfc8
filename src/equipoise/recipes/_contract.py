"""What a recipe's functions must return: checked once, on the steps that memory is
predicted from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from torch import Tensor

from equipoise.errors import EquipoiseError
from equipoise.recipes.method import AuxOutputs, CriticBatch, Method


def checked_method(method: Method, recipe: str) -> Method:
    """The method with functions that check what they return.

    Args:
        method: Of any recipe, such as one of another package.
        recipe: Its name, for messages.

    Raises:
        EquipoiseError: When one of its functions is called and returns anything but
            what `Method` says.
    """

    def scalar(value: Any, what: str) -> Tensor:
        if not isinstance(value, Tensor):
            given = f"a {type(value).__name__}"
        elif value.dim():
            given = f"a tensor of shape {tuple(value.shape)}"
        elif not value.is_floating_point():
            given = f"a tensor of {value.dtype}"
        else:
            return value
        raise EquipoiseError(
            f"the recipe {recipe!r}: its {what} is {given}, and must be one number, a tensor "
            "of shape (): take the mean over the batch"
        )

    def loss(
        function: Callable[[Tensor, Tensor], Tensor], what: str
    ) -> Callable[[Tensor, Tensor], Tensor]:
        return lambda real, fake: scalar(function(real, fake), what)

    def penalty(batch: CriticBatch) -> dict[str, Tensor]:
        assert method.penalty is not None, "it is only asked for where there is one"
        terms = method.penalty(batch)
        if not isinstance(terms, dict):
            raise EquipoiseError(
                f"the recipe {recipe!r}: its penalty is a {type(terms).__name__}, and must "
                "be a dict"
            )
        return {name: scalar(term, f"penalty {name!r}") for name, term in terms.items()}

    def auxiliary(outputs: AuxOutputs) -> tuple[Tensor, dict[str, Tensor]]:
        assert method.auxiliary is not None, "it is only asked for where there is one"
        found = method.auxiliary(outputs)
        if not (isinstance(found, tuple) and len(found) == 2 and isinstance(found[1], dict)):
            raise EquipoiseError(
                f"the recipe {recipe!r}: its auxiliary loss must be a term and a dict of readings"
            )
        term, readings = found
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

"""Warm start: a new training starts with the weights of another one, and goes on with
its transforms.

The generator makes samples in the encoded space of the data that it was trained on. So
the transforms are reused; only the weights of the clusters are fitted to the new
data.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from equipoise.coerce import checked
from equipoise.data.labels import same_classes
from equipoise.data.schema import Schema
from equipoise.data.sources import Source
from equipoise.data.tables.table import Table
from equipoise.errors import EquipoiseError, RequestError, clipped, warn
from equipoise.recipes._building import fitted_recipe, outline
from equipoise.recipes.base import Recipe
from equipoise.runs import checkpoint
from equipoise.runs.config import InitFrom, RunConfig
from equipoise.runs.directory import RunDirectory
from equipoise.runs.serialization import digest_of
from equipoise.runs.trained import load_run
from equipoise.sampling.sampler import Sampler
from equipoise.training.trainer import Trainer
from equipoise.transforms.chain import Chain
from equipoise.transforms.clustering import PART
from equipoise.transforms.dequantization import Dequantization
from equipoise.transforms.fitting import FITTED_ROWS
from equipoise.transforms.scaling import same_kind
from equipoise.transforms.space import NetworkSpace

# Fields of a recipe that the transforms are fitted by.
TRANSFORM_FIELDS = ("scaling", "clusters", "per_channel_clusters")
# What the codes of a column's cells depend on.
CODES = ("kind", "categories", "markers", "blank")
ROUNDS = 10  # of expectation maximisation of the clusters' weights alone


@dataclass(frozen=True)
class Weights:
    """What a trained GAN hands on to a new training."""

    run: str | None
    """Its directory; None for one in memory."""
    sampler: Sampler
    generator: Mapping[str, Tensor]
    """G's own weights; its average's are the sampler's."""
    discriminator: Mapping[str, Tensor] | None
    """None where no checkpoint has them."""
    requested: dict[str, Any]
    """The settings of the recipe that its user set."""
    samples_seen: int
    """All that they were trained on, before a warm start of their own too."""

    @property
    def name(self) -> str:
        """What it is called in messages."""
        return self.run or "the GAN given"

    def origin(self) -> InitFrom:
        """Where the weights are from, for config.json:
        the run, and a SHA-256 of the generator."""
        return InitFrom(self.run, digest_of(self.sampler.generator.state_dict(), {}))

    def recipe_for(
        self,
        source: Source,
        recipe: type[Recipe] | None,
        choices: dict[str, Any],
    ) -> Recipe:
        """The run's recipe, with those of the user's
        choices that leave its networks as they are.

        Raises:
            RequestError: The recipe, the data or a choice does
                not fit the weights; every difference is named.
        """
        own, schema = self.sampler.recipe, source.schema
        if recipe is not None and recipe is not type(own):
            raise RequestError(
                f"{self.name} was trained with the recipe {own.name!r}, not with "
                f"{recipe.name!r}: leave recipe out"
            )
        if unknown := sorted(choices.keys() - {field.name for field in fields(own)}):
            raise RequestError(
                f"the recipe {own.name!r} of {self.name} has no {', '.join(unknown)}: leave it out"
            )
        if differ := self._other_data(source):
            raise RequestError(
                f"the data is not of the kind that {self.name} makes: {'; '.join(differ)}"
            )
        fitted = fitted_recipe(own, self.sampler.transform)
        if differ := [
            f"{n}: {getattr(fitted, n)!r} -> {v!r}"
            for n, v in choices.items()
            if _changes_networks(fitted, n, v, schema)
        ]:
            raise RequestError(
                f"the weights of {self.name} do not fit other networks ({'; '.join(differ)}): "
                "leave these out"
            )
        chosen = replace(own, **choices)
        chosen.check(NetworkSpace.of(schema))
        return chosen

    def _other_data(self, source: Source) -> list[str]:
        """What about the source is not as it was
        of the data that the weights are of."""
        own, new, sampler = self.sampler.schema, source.schema, self.sampler
        differ = (
            [f"shape of a sample: {own.shape} -> {new.shape}"] if own.shape != new.shape else []
        )
        if own.series is not None or new.series is not None:
            forms = [None if one is None else one.described() for one in (own.series, new.series)]
            differ += [] if forms[0] == forms[1] else [f"windows: {forms[0]} -> {forms[1]}"]
        if (names := _channel_names(own)) != (others := _channel_names(new)) and names and others:
            differ.append(f"channels: {_listed(names)} -> {_listed(others)}")
        if own.alpha != new.alpha:
            differ.append(f"transparency in the last channel: {own.alpha} -> {new.alpha}")
        if own.columns is not None and new.columns is not None and own.columns != new.columns:
            differ.append(f"columns: {_listed(own.columns)} -> {_listed(new.columns)}")
        if own.table is not None and new.table is not None:
            differ += _other_codes(own.table, new.table)
        limits = sampler.transform.limits
        if limits and source.limits and not same_kind(limits, source.limits):
            differ.append(
                f"range of values: {limits[0]:g} to {limits[1]:g} -> {source.limits[0]:g} to "
                f"{source.limits[1]:g}"
            )
        if sampler.recipe.conditional and not same_classes(own.classes, new.classes):
            differ.append(f"classes: {_listed(own.classes)} -> {_listed(new.classes)}")
        return differ

    def transform_for(self, source: Source, seed: int) -> Chain:
        """The transforms that the weights were trained with; the clusters' weights are
        those in the new data, and values are rounded to its types. Channels of series
        have its bounds, and lengths are as common as in it."""
        transform = copy.deepcopy(self.sampler.transform).cpu()
        if source.schema.series is None:
            transform = transform.replaced(Dequantization(source.schema))
        else:  # as they are when they are loaded
            tensors = transform.state_dict()
            transform = Chain.from_config(source.schema, transform.config())
            transform.load_state_dict(tensors)
        if transform.clustering is not None:
            refit_weights(
                transform, source, self.sampler.recipe.labels(NetworkSpace.of(source.schema)), seed
            )
        return transform

    def load_into_trainer(self, trainer: Trainer) -> None:
        """Give the weights to a training that has not begun. Its
        optimisers, schedule and clock stay new; the average goes on."""
        state = trainer.state
        state.seen_before = self.samples_seen
        try:
            state.generator.load_state_dict(self.generator)
            if state.ema is not state.generator:
                state.ema.load_state_dict(self.sampler.generator.state_dict())
            if self.discriminator is not None:
                state.discriminator.load_state_dict(self.discriminator)
        except RuntimeError:
            raise EquipoiseError(
                f"the checkpoint of {self.name} is not of its generator: give a run whose "
                "files are its own"
            ) from None

    def summary(self) -> str:
        """What starts anew and what is reused, in a line."""
        clustering = self.sampler.transform.clustering
        count = 0 if clustering is None else clustering.count
        kept = (
            f"scaling and {count} cluster{'s' if count > 1 else ''} are" if count else "scaling is"
        )
        fresh = (
            ""
            if self.discriminator is not None
            else "; it has no checkpoint with a discriminator, which starts anew too"
        )
        return (
            f"starting from the weights of {self.name}: optimiser, schedule and samples "
            f"seen start anew; its {kept} reused{fresh}"
        )


def read(path: Path, config: RunConfig | None = None) -> Weights:
    """The weights of a run: G's average from its generator, G and D
    from the checkpoint of the same moment, or else from the newest one.

    Args:
        path: The run's directory.
        config: Its configuration, where it has been read already.

    Raises:
        RequestError: `path` is no run.
        EquipoiseError: It has no generator yet, or its files are damaged.
    """
    directory, config, sampler = load_run(path, torch.device("cpu"), config)
    tensors, scalars = _checkpoint(directory, sampler.samples_seen)
    before = checked("seen_before", scalars.get("seen_before", 0), int)
    return _weights(str(path), sampler, tensors, config.requested.recipe, before)


def weights_of(trainer: Trainer) -> Weights:
    """The weights of a training in this process, as they are now."""
    run = None if trainer.directory is None else str(trainer.directory.path)
    return _weights(
        run,
        trainer.sampler,
        trainer.state.tensors(),
        trainer.config.requested.recipe,
        trainer.state.seen_before,
    )


def weights_of_sampler(sampler: Sampler, config: RunConfig) -> Weights:
    """The weights of a generator that has neither training nor run directory."""
    return _weights(None, sampler, {}, config.requested.recipe, 0)


def _weights(
    run: str | None,
    sampler: Sampler,
    tensors: Mapping[str, Tensor],
    requested: dict[str, Any],
    seen_before: int,
) -> Weights:
    networks = {}
    for network in ("generator", "discriminator"):
        start = f"{network}."
        networks[network] = {
            name.removeprefix(start): t.clone()
            for name, t in tensors.items()
            if name.startswith(start)
        }
    generator = networks["generator"] or sampler.generator.state_dict()
    seen = sampler.samples_seen + seen_before
    return Weights(run, sampler, generator, networks["discriminator"] or None, requested, seen)


def _checkpoint(directory: RunDirectory, samples_seen: int) -> checkpoint.Moment:
    """The checkpoint of this moment, or else the
    newest; nothing where no one is whole."""
    same = checkpoint.path_of(directory.checkpoints, checkpoint.name_of(samples_seen))
    if same.is_file():
        with suppress(EquipoiseError):  # damaged: another one will do
            return checkpoint.load(same)
    try:
        return checkpoint.load_newest(directory.checkpoints, lambda _: None)
    except EquipoiseError:
        return {}, {}


def refit_weights(transform: Chain, source: Source, labels: int, seed: int) -> None:
    """Fit the clusters' weights to a source's training samples: for each label where
    networks learn labels, else by expectation maximisation of the weights alone."""
    clustering = transform.clustering
    assert clustering is not None, "only clusters have weights"
    known = source.labelled(FITTED_ROWS, seed, held_out=False) if labels else None
    raw = source.seen(FITTED_ROWS, seed) if known is None else known[0]
    parts = [transform.scaled(part) for part in torch.split(raw, PART)]
    if known is not None:
        clustering.fit_class_weights(parts, known[1], labels)
        return
    for _ in range(ROUNDS):
        fractions = torch.cat([clustering.posteriors(part) for part in parts]).mean(0)
        weights = (fractions / fractions.sum()).reshape(clustering.weights.shape)
        if torch.equal(weights, clustering.weights):  # images' clusters do not depend on them
            return
        clustering.weights = weights


def _changes_networks(own: Recipe, name: str, value: Any, schema: Schema) -> bool:
    """Whether another value of one field gives
    networks of other shapes, or other data to them."""
    if getattr(own, name) == value:
        return False
    of_all = name in TRANSFORM_FIELDS or name == "preset"  # which sets other fields too
    return of_all or _shapes(replace(own, **{name: value}), schema) != _shapes(own, schema)


def _shapes(recipe: Recipe, schema: Schema) -> dict[str, tuple[int, ...]]:
    """The shape of every tensor of both networks, of which
    nothing is allocated; none where they cannot be built so."""
    try:
        method = outline(recipe, schema)
    except RuntimeError:  # networks that look at their weights when made: `put_into` tells
        return {}
    networks = {"generator": method.generator, "discriminator": method.discriminator}
    return {
        f"{network}.{name}": tuple(t.shape)
        for network, module in networks.items()
        for name, t in module.state_dict().items()
    }


def _other_codes(own: Table, new: Table) -> list[str]:
    """The columns whose cells have other codes: networks would take them for others."""
    differ = []
    for before, after in zip(own.columns, new.columns, strict=False):
        old, now = before.to_dict(), after.to_dict()
        if any(old.get(part) != now.get(part) for part in CODES):
            values = [_listed(of.get("categories") or (of["kind"],)) for of in (old, now)]
            blank = " (or their blanks)" if values[0] == values[1] else ""
            name = clipped(repr(before.name), 40)
            differ.append(f"cells of {name}{blank}: {values[0]} -> {values[1]}")
    return differ


def _channel_names(schema: Schema) -> tuple[str, ...] | None:
    """The names of channels that a table of series gives them; None of other data."""
    series = schema.series
    return None if series is None or series.frame is None else tuple(series.names)


def _listed(names: Sequence[Any] | None, most: int = 5) -> str:
    """Some names, as they are told in a message."""
    if names is None:
        return "none"
    return ", ".join(map(str, names[:most])) + (
        f" and {len(names) - most} more" if len(names) > most else ""
    )


def warn_of_beginning_anew(directory: RunDirectory | None) -> None:
    """Of a second `fit`: what was trained is not
    gone on with, and what to type for that."""
    more = "" if directory is None else ", or resume its run with fit(out=..., resume=True)"
    warn(
        "this GAN is trained already, and fit starts anew: start from its weights with "
        f"fit(data, init_from=gan){more}"
    )

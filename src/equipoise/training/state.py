"""The state of a training: networks, optimisers, EMA, controllers, random generators,
position in the data, clock. Training is deterministic: equal states continue with
equal bits.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal, ParamSpec, TypeVar

import torch
from torch import Tensor, nn

from equipoise.coerce import checked
from equipoise.data.loading import Loader, Stream, seeded
from equipoise.errors import clipped
from equipoise.networks.augmentation import Augmentation
from equipoise.networks.batchnorm import synchronise
from equipoise.networks.controller import Controller
from equipoise.networks.mlp import Dropout
from equipoise.recipes.base import Recipe
from equipoise.recipes.method import Method, Rates
from equipoise.runtime.ranks import SINGLE, Ranks
from equipoise.transforms.chain import Chain

# Types of the scalars of a saved state, beside the best checkpoint and the position.
SCALARS: dict[str, Any] = {
    "samples_seen": int,
    "seen_before": int,
    "seconds": float,
    "horizon": int | None,
    "minutes": float | None,
    "recoveries": int,
    "attempts": int,
}
# Maximum of an epoch's number, and of a position within an epoch.
MAX_POSITION = 2**48
P = ParamSpec("P")
T = TypeVar("T")
M = TypeVar("M", bound=nn.Module)
Gradients = tuple[Tensor | None, ...]
"""The gradients of a network's parameters, in order; None for an unused parameter."""
RANDOM_STREAMS = {
    "latents": Stream.LATENTS,
    "dropout": Stream.DROPOUT,
    "augmentation": Stream.AUGMENTATION,
    "penalty": Stream.PENALTY,
}


class State:
    """The networks and everything else that changes during training.

    `tensors` and `scalars` return the state, and `restore` sets it.

    Args:
        method: The networks and their losses.
        recipe: Its settings of optimisers and EMA.
        loader: The source of batches; split between several ranks.
        seed: Seed of the random generators.
        device: The device of networks and batches.
        transform: Constant during training; saved with the networks.
        ranks: The processes of this training.
    """

    def __init__(
        self,
        method: Method,
        recipe: Recipe,
        loader: Loader,
        seed: int,
        device: torch.device,
        transform: Chain | None = None,
        ranks: Ranks = SINGLE,
    ) -> None:
        self.method: Method = method
        self.loader: Loader = loader
        self.seed: int = seed
        self.device: torch.device = device
        self.ranks = ranks
        self.transform = transform
        self.generator: nn.Module = method.generator.to(device)
        self.discriminator: nn.Module = method.discriminator.to(device)
        self.ema: nn.Module = (
            copy.deepcopy(self.generator).requires_grad_(False)
            if recipe.ema_half_life > 0
            else self.generator
        )
        if ranks.size > 1:
            _share(loader, (self.generator, self.discriminator), ranks)
        # Lists: walking the modules at each step takes 5% of a small network's time.
        self.weights_g: list[Tensor] = list(self.generator.parameters())
        self.weights_d: list[Tensor] = list(self.discriminator.parameters())
        self.weights_ema: list[Tensor] = list(self.ema.parameters())
        self.statistics: list[tuple[Tensor, Tensor]] = (
            list(zip(self.ema.buffers(), self.generator.buffers(), strict=True))
            if self.ema is not self.generator
            else []
        )
        """Pairs of buffers: the EMA's and the generator's."""
        self.augmentation: Augmentation | None = _moved(method.augmentation, device)
        self.controller: Controller | None = _moved(method.controller, device)
        self.optimizer_g: torch.optim.Optimizer = _optimizer(
            self.generator, recipe, device, recipe.weight_decay
        )
        self.optimizer_d: torch.optim.Optimizer = _optimizer(self.discriminator, recipe, device)
        self._rate_d = recipe.discriminator_rate
        self.randomness: dict[str, torch.Generator] = {
            name: seeded(seed, stream, device=device, rank=ranks.rank)
            for name, stream in RANDOM_STREAMS.items()
        }
        for module in (
            *self.generator.modules(),
            *self.discriminator.modules(),
            *self.ema.modules(),
        ):
            if isinstance(module, Dropout):
                module.generator = self.randomness["dropout"]
        if self.augmentation is not None:
            self.augmentation.generator = self.randomness["augmentation"]
            self.augmentation.realness = method.output.realness
        self.ema_half_life: float = float(recipe.ema_half_life)
        """Half-life of the EMA in samples; the final one of a schedule."""
        self.samples_seen: int = 0
        self.seen_before: int = 0
        """Samples seen by the weights of a warm start before this training."""
        self.seconds: float = 0.0
        self.horizon: int | None = None
        """Samples seen at the end of the schedules. None for a run given minutes, until
        its rate is measured."""
        self.minutes: float | None = None
        """The minutes that the horizon was predicted for."""
        self.best: dict[str, Any] | None = None
        """The checkpoint with the best primary metric so far: its name and metric."""
        self.compilations: dict[Callable[..., Any], Callable[..., Any]] = {}
        """Functions of the step and their compiled forms, see `training.speed`."""
        self.recoveries: int = 0
        """Number of roll-backs. Each halves the learning rate."""
        self.attempts: int = 0
        """Number of roll-backs since the run last diverged and was resumed."""
        if self.augmentation is not None:
            self.augmentation.images = loader.batch_size * ranks.size
        self._buffers = [
            buffer for module in self._trained().values() for buffer in _saved_buffers(module)
        ]
        self._of_other_ranks: dict[str, Tensor] = {}
        self.synchronise()

    def synchronise(self) -> None:
        """Take rank 0's networks, on all ranks.

        At the start, and at each report: ranks compute the same, but on processors of
        different kinds their rounding differs.
        """
        self.ranks.broadcast_([*self.weights_g, *self.weights_d, *self.weights_ema, *self._buffers])

    @property
    def samples_per_step(self) -> int:
        """Real samples that one step sees, on all ranks together."""
        return self.method.discriminator_steps * self.loader.batch_size * self.ranks.size

    def latents(self, n: int) -> Tensor:
        """The next n latents, (n, Z)."""
        return self.method.prior.sample(n, self.randomness["latents"])

    def discriminate(self, x: Tensor, y: Tensor | None) -> tuple[Tensor, Tensor]:
        """D's logits, (N,), and its auxiliary outputs, (N, K), on x, with the recipe's
        augmentation of each sample. With packing x and y are packs."""
        if self.augmentation is not None:
            pack = self.method.packing
            x = pack.join(self.augmentation(pack.split(x)))
        logits, aux = self.discriminator(x, y)
        return logits, aux

    def apply(self, rates: Rates) -> None:
        """Set the scheduled learning rates, second beta and augmentation probability
        before a step."""
        halved = 0.5**self.recoveries
        for optimizer, factor in (
            (self.optimizer_g, halved),
            (self.optimizer_d, halved * self._rate_d),
        ):
            for group in optimizer.param_groups:
                group["lr"] = rates.learning_rate * factor
                if "betas" in group:
                    group["betas"] = (group["betas"][0], rates.beta2)
                elif "alpha" in group:
                    group["alpha"] = rates.beta2
        if self.augmentation is not None:
            self.augmentation.set_probability(rates.augment)

    def update_controllers(
        self, after: Literal["discriminator", "generator"], readings: Mapping[str, Tensor]
    ) -> dict[str, Tensor]:
        """Update the controllers that follow one network's steps.

        Args:
            after: The network whose optimiser step was last.
            readings: Of this training step, by name.

        Returns:
            The controllers' readings for the log, () each.
        """
        updated = [
            controller
            for controller in (self.augmentation, self.controller)
            if controller is not None and controller.after == after
        ]
        logged: dict[str, Tensor] = {}
        of_batch = self._of_all_ranks(readings) if updated else readings
        for controller in updated:
            logged |= controller.update(of_batch)
        return logged

    def _of_all_ranks(self, readings: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        """The readings of the whole batch: means of scalars, (), and D's outputs on all
        ranks, one after another."""
        if self.ranks.size == 1:
            return readings
        sizes = [value.numel() for value in readings.values()]
        flat = torch.cat([value.flatten() for value in readings.values()])
        parts = torch.split(self.ranks.gather(flat[None]), sizes, 1)
        return {
            name: part.flatten() if value.dim() else part.mean()
            for (name, value), part in zip(readings.items(), parts, strict=True)
        }

    def collect_randomness(self) -> None:
        """Let rank 0 have the random generators of all, before the state is saved."""
        states = {name: generator.get_state() for name, generator in self.randomness.items()}
        of_others = [*enumerate(self.ranks.of_all(states))][1:]
        self._of_other_ranks = {
            f"randomness.{rank}.{name}": stored
            for rank, of_rank in of_others
            for name, stored in of_rank.items()
        }

    def compiled(self, function: Callable[P, T]) -> Callable[P, T]:
        """The compiled form of a function of the step, or the function itself."""
        compiled: Callable[P, T] = self.compilations.get(function, function)
        return compiled

    def optimize_discriminator(self, gradients: Gradients) -> None:
        """One step of D's optimiser along the gradients of its weights."""
        _optimizer_step(self.weights_d, gradients, self.optimizer_d, self.ranks)

    def optimize_generator(self, gradients: Gradients) -> None:
        """One step of G's optimiser along the gradients of its weights."""
        _optimizer_step(self.weights_g, gradients, self.optimizer_g, self.ranks)

    def tensors(self) -> dict[str, Tensor]:
        """Every tensor of the state by a dotted name, not copied; random generators of
        other ranks as they were collected last."""
        own = {
            f"randomness.{name}": generator.get_state()
            for name, generator in self.randomness.items()
        }
        return self.weights() | own | self._of_other_ranks

    def weights(self) -> dict[str, Tensor]:
        """The tensors of the networks, the EMA, the controllers and the optimisers."""
        tensors: dict[str, Tensor] = {}
        for name, module in self._modules().items():
            tensors |= {f"{name}.{key}": value for key, value in module.state_dict().items()}
        for name, optimizer in self._optimizers().items():
            for index, moments in optimizer.state_dict()["state"].items():
                tensors |= {f"{name}.{index}.{key}": value for key, value in moments.items()}
        return tensors

    def scalars(self) -> dict[str, Any]:
        """The rest of the state, for JSON."""
        return {
            "samples_seen": self.samples_seen,
            "seen_before": self.seen_before,
            "seconds": self.seconds,
            "horizon": self.horizon,
            "minutes": self.minutes,
            "best": self.best,
            "recoveries": self.recoveries,
            "attempts": self.attempts,
            "position": self.loader.position(),
        }

    def restore(self, tensors: dict[str, Tensor], scalars: dict[str, Any]) -> None:
        """Set the state from what `tensors` and `scalars` returned.

        Raises:
            KeyError, TypeError, ValueError, RuntimeError: They come from a state with
                other networks or optimisers.
        """
        scalars = {
            name: checked(name, scalars[name], hint) for name, hint in SCALARS.items()
        } | _checked_scalars(scalars)
        self.restore_tensors(tensors, scalars["samples_seen"])
        self.loader.restore(scalars["position"])
        self.samples_seen = scalars["samples_seen"]
        self.seconds = scalars["seconds"]
        self.seen_before = scalars["seen_before"]
        self.recoveries = scalars["recoveries"]
        self.attempts = scalars["attempts"]
        self.horizon, self.minutes, self.best = (
            scalars["horizon"],
            scalars["minutes"],
            scalars["best"],
        )

    def restore_tensors(self, tensors: dict[str, Tensor], samples_seen: int) -> None:
        """Set the tensors of a state, without the loader's position.

        Args:
            tensors: As from `tensors`.
            samples_seen: The samples seen when they were saved.
        """
        self.restore_weights(tensors)
        rank = "" if self.ranks.is_main else f"{self.ranks.rank}."
        for name, generator in self.randomness.items():
            stored = tensors.get(f"randomness.{rank}{name}")
            if stored is None and self.ranks.is_main:
                raise KeyError(f"randomness.{name}")
            if stored is not None and stored.shape == generator.get_state().shape:
                generator.set_state(stored.cpu())
                continue
            # A rank that there was not when the state was saved, or another type of
            # device, whose states have another shape: a seed by the samples seen.
            fresh = seeded(self.seed, RANDOM_STREAMS[name], samples_seen, rank=self.ranks.rank)
            generator.manual_seed(fresh.initial_seed())

    def restore_weights(self, tensors: dict[str, Tensor]) -> None:
        """Set the tensors that `weights` returned."""
        for name, module in self._modules().items():
            module.load_state_dict(_module_tensors(tensors, name))
        for name, optimizer in self._optimizers().items():
            stored = optimizer.state_dict()
            stored["state"] = {}
            weights = optimizer.param_groups[0]["params"]
            for key, value in _module_tensors(tensors, name).items():
                index, moment = key.split(".")
                expected = () if moment == "step" else weights[int(index)].shape
                if value.shape != expected or not value.is_floating_point():
                    raise ValueError(
                        f"{name}.{key} has shape {tuple(value.shape)} and type {value.dtype}, "
                        f"its weight {tuple(expected)}"
                    )
                stored["state"].setdefault(int(index), {})[moment] = value
            expected_moments = _moments(optimizer)
            for index, moments in stored["state"].items():
                if moments.keys() != expected_moments:
                    raise ValueError(
                        f"{name} has {', '.join(sorted(moments))} of weight {index}, not "
                        f"{', '.join(sorted(expected_moments))}"
                    )
            optimizer.load_state_dict(stored)

    def _modules(self) -> dict[str, nn.Module]:
        modules = self._trained()
        if self.transform is not None:
            modules["transform"] = self.transform
        return modules

    def _trained(self) -> dict[str, nn.Module]:
        """The modules of the state."""
        modules = {"generator": self.generator, "discriminator": self.discriminator}
        if self.ema is not self.generator:
            modules["ema"] = self.ema
        if self.augmentation is not None:
            modules["augmentation"] = self.augmentation
        if self.controller is not None:
            modules["controller"] = self.controller
        return modules

    def _optimizers(self) -> dict[str, torch.optim.Optimizer]:
        return {"optimizer_g": self.optimizer_g, "optimizer_d": self.optimizer_d}


def _share(loader: Loader, networks: Iterable[nn.Module], ranks: Ranks) -> None:
    """Give each process its rows, and let what depends on a whole batch see those of
    all: not in the EMA, which rank 0 evaluates alone."""
    loader.split(ranks.rank, ranks.size)
    for network in networks:
        synchronise(network, ranks.gather)


def _moved(module: M | None, device: torch.device) -> M | None:
    """A module that there may be, on the device."""
    return None if module is None else module.to(device)


def _checked_scalars(scalars: dict[str, Any]) -> dict[str, Any]:
    """The best checkpoint and the loader's position, validated.

    Raises:
        ValueError: They have another form.
    """
    best, position = scalars["best"], scalars["position"]
    names = {"checkpoint": str, "metric": float}
    if best is not None and (
        not isinstance(best, dict)
        or best.keys() != names.keys()
        or not str(best["checkpoint"]).isdecimal()
    ):
        raise ValueError(f"best = {clipped(repr(best))}: must be a checkpoint and its metric")
    if best is not None:
        best = {name: checked(name, best[name], hint) for name, hint in names.items()}
    if not isinstance(position, dict) or not all(
        type(value) is int and 0 <= value < MAX_POSITION for value in position.values()
    ):
        raise ValueError(f"position = {clipped(repr(position))}: must be whole numbers")
    return {"best": best, "position": position}


def _saved_buffers(module: nn.Module) -> list[Tensor]:
    """The buffers of a module's state dict; others, such as pretrained weights, are
    constant."""
    saved = module.state_dict().keys()
    return [buffer for name, buffer in module.named_buffers() if name in saved]


def _optimizer(
    network: nn.Module, recipe: Recipe, device: torch.device, weight_decay: float = 0.0
) -> torch.optim.Optimizer:
    """The recipe's optimiser for one network. `State.apply` sets its rates."""
    if recipe.optimizer == "rmsprop":
        return torch.optim.RMSprop(
            network.parameters(),
            recipe.learning_rate,
            alpha=float(recipe.beta2),
            weight_decay=weight_decay,
        )
    if recipe.optimizer == "sgd":
        return torch.optim.SGD(
            network.parameters(),
            recipe.learning_rate,
            momentum=float(recipe.beta1),
            weight_decay=weight_decay,
        )
    return torch.optim.Adam(
        network.parameters(),
        recipe.learning_rate,
        (float(recipe.beta1), float(recipe.beta2)),
        weight_decay=weight_decay,
        fused=device.type in ("cpu", "cuda"),
    )


def _moments(optimizer: torch.optim.Optimizer) -> set[str]:
    """The names of what an optimiser keeps of each weight."""
    if isinstance(optimizer, torch.optim.SGD):
        return {"momentum_buffer"}
    if isinstance(optimizer, torch.optim.RMSprop):
        return {"step", "square_avg"}
    return {"step", "exp_avg", "exp_avg_sq"}


def _optimizer_step(
    weights: list[Tensor], gradients: Gradients, optimizer: torch.optim.Optimizer, ranks: Ranks
) -> None:
    """One optimiser step with the mean of all ranks' gradients."""
    for weight, gradient in zip(weights, gradients, strict=True):
        if gradient is None or gradient.stride() == weight.stride():
            weight.grad = gradient
        else:  # fused optimisers read both in memory order
            weight.grad = torch.empty_like(weight).copy_(gradient)
    ranks.mean_([weight.grad for weight in weights if weight.grad is not None])
    optimizer.step()


def _module_tensors(tensors: dict[str, Tensor], name: str) -> dict[str, Tensor]:
    return {
        key.removeprefix(f"{name}."): value
        for key, value in tensors.items()
        if key.startswith(f"{name}.")
    }

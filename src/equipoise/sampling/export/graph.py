"""The sampler as the graph that is exported: what callers draw in, samples out."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any, Literal, cast

import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from equipoise.data.schema import Schema, from_network_layout
from equipoise.data.schema import cast as typed
from equipoise.sampling.sampler import Sampler
from equipoise.sampling.truncation import truncated, with_truncation

InputName = Literal["z", "label", "cluster", "truncation"]
Inputs = dict[InputName, Tensor]


@dataclass(frozen=True)
class Drawn:
    """Inputs of a graph, and the networks' classes in them, which are what
    `Sampler.decode_latents` takes."""

    inputs: Inputs
    classes: Tensor | None


class SamplerGraph(nn.Module):
    """Inputs that anybody can draw, to samples in the user's layout and type.

    Its forward takes the inputs that it has, in the order of `names`:

        z           (N, Z) float32: latents, codes among them
        label       (N,) int64: position of the label
        cluster     (N,) or (N, P) float32, uniform on (0, 1]: chooses the cluster
        truncation  () float32: 1 for none, towards 0 for more typical samples
    """

    def __init__(self, sampler: Sampler) -> None:
        super().__init__()
        # Of a generator on a GPU, as the copy is to run anywhere.
        self.generator = copy.deepcopy(with_truncation(sampler, 1.0)).cpu().eval()
        self.transform = copy.deepcopy(sampler.transform).cpu().eval()
        self.names = input_names(sampler)
        self.schema = sampler.schema
        clustering = self.transform.clustering
        self.count = 1 if clustering is None else clustering.count
        self.per_channel = clustering is not None and clustering.per_channel
        weights = torch.ones(1, 1) if clustering is None else clustering.weights.cpu().double()
        self.register_buffer("ends", weights.flatten().cumsum(0))
        self.register_buffer("totals", weights.sum(1))

    def forward(self, *inputs: Tensor) -> Tensor:
        given = dict(zip(self.names, inputs, strict=True))
        z, y = given["z"], self._classes(given)
        encoded = self.generator(z, y, given["truncation"])
        return self._typed(self.transform.decode(encoded, y))

    def _classes(self, given: dict[InputName, Tensor]) -> Tensor | None:
        """The networks' classes of labels and of what chooses clusters."""
        label, cluster = given.get("label"), given.get("cluster")
        if self.transform.clustering is None or cluster is None:
            if self.transform.clustering is not None and label is None:
                return torch.zeros_like(given["z"][:, 0], dtype=torch.int64)
            return label
        ends, totals = self.get_buffer("ends"), self.get_buffer("totals")
        if self.per_channel:
            row = torch.arange(len(totals)).expand_as(cluster)
        else:
            row = torch.zeros_like(cluster, dtype=torch.int64) if label is None else label
        first = row * self.count
        below = ends[self.count - 1 :: self.count] - totals
        drawn = below[row] + cluster.double() * totals[row]
        found = torch.searchsorted(ends, drawn)
        return torch.minimum(torch.maximum(found, first), first + self.count - 1)

    def _typed(self, values: Tensor) -> Tensor:
        """Values, (N, *shape), in the user's layout and type. Tables and windows stay
        as they are: they are decoded outside."""
        schema = self.schema
        if schema.layout in ("N", "NHW"):
            values = values[:, 0]
        elif schema.layout == "NHWC":
            values = values.permute(0, 2, 3, 1).contiguous()
        dtype = output_dtype(schema)
        return values if dtype == "float64" else values.to(getattr(torch, dtype))


def output_dtype(schema: Schema) -> str:
    """The type of the output: the user's, or float64 of what is decoded outside."""
    outside = schema.container == "frame" or schema.series is not None
    return "float64" if outside else schema.dtype


def input_names(sampler: Sampler) -> tuple[InputName, ...]:
    """The inputs that this generator needs."""
    clustering = sampler.transform.clustering
    has = {
        "z": True,
        "label": bool(sampler.recipe.conditional),
        "cluster": clustering is not None and clustering.count > 1,
        "truncation": True,
    }
    return tuple(cast(InputName, name) for name, is_there in has.items() if is_there)


def drawn_inputs(sampler: Sampler, n: int, seed: int, truncation: float = 1.0) -> Drawn:
    """The inputs that give what `GAN.sample` gives with this seed and truncation."""
    z, y = sampler.latents(n, seed)
    y = None if y is None else y.cpu()
    names, clustering = input_names(sampler), sampler.transform.clustering
    inputs: Inputs = {"z": z}
    if "label" in names and y is not None:
        inputs["label"] = y if clustering is None else clustering.labels(y)
    if "cluster" in names and clustering is not None and y is not None:
        inputs["cluster"] = _uniform_of(clustering.weights.cpu().double(), y)
    return Drawn({**inputs, "truncation": torch.tensor(truncation)}, y)


def _uniform_of(weights: Tensor, classes: Tensor) -> Tensor:
    """The middle of what chooses each class, of weights (C, K): as float32."""
    shares = (weights / weights.sum(1, keepdim=True)).flatten()
    ends = (weights.cumsum(1) / weights.sum(1, keepdim=True)).flatten()
    return (ends[classes] - shares[classes] / 2).float()


def traced(sampler: Sampler) -> torch.export.ExportedProgram:
    """The graph as torch exports it, for batches of any size."""
    graph = SamplerGraph(sampler).eval()
    inputs = drawn_inputs(sampler, 4, 0).inputs
    batch = torch.export.Dim("batch")
    shapes = tuple({} if name == "truncation" else {0: batch} for name in graph.names)
    arguments = tuple(inputs[name] for name in graph.names)
    with torch.no_grad():
        return torch.export.export(graph, arguments, dynamic_shapes=(shapes,))


def expected(sampler: Sampler, drawn: Drawn) -> NDArray[Any]:
    """What `sample` makes of these inputs, as the graph's output has it."""
    asked = truncated(sampler, float(drawn.inputs["truncation"]))
    values = asked.decode_latents(drawn.inputs["z"], drawn.classes)
    user = from_network_layout(values, sampler.schema.layout)
    return typed(user, output_dtype(sampler.schema))

"""A run's data as arguments of the command line."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from equipoise.data import readers
from equipoise.data.distributions import DISTRIBUTIONS
from equipoise.data.schema import from_json


def data_arguments(config: Mapping[str, Any]) -> str:
    """The data as command-line arguments: its name or path, the settings of a
    distribution, the label column and --conditional, where they are needed.

    Empty for data or labels that were passed in Python.
    """
    described, column = config["data"], config["run"]["label_column"]
    if (described["origin"] is None and "distribution" not in described) or described.get(
        "labels_in_python"
    ):
        return ""
    name = described["origin"] or described["name"]
    words = [shlex.quote(name)]
    if "distribution" in described:
        given = from_json(described["distribution"])
        for setting in fields(DISTRIBUTIONS[described["name"]]):
            if given[setting.name] != setting.default:
                value = given[setting.name]
                values = value if isinstance(value, tuple | list) else [value]
                words += [f"--{setting.name.replace('_', '-')}", *map(str, values)]
    if column is not None:
        words += ["--label-column", shlex.quote(column)]
    # Labels of a file are always learned.
    if config["recipe"].get("conditional") and readers.find(name) is None:
        words.append("--conditional")
    return " ".join(words)

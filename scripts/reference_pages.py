"""Pages of the reference that are made of the program itself: its commands, and its
settings."""

from __future__ import annotations

import re

from equipoise.cli.main import COMMANDS
from equipoise.cli.parsers import parser_of
from equipoise.data.distributions import DISTRIBUTIONS
from equipoise.recipes.base import Recipe
from equipoise.runs.settings import RunSettings
from equipoise.sweeps.settings import SweepSettings
from field_tables import cell, options_table, settings_table

SETTINGS = (RunSettings, SweepSettings)  # that have a table of their own
COMMANDS_HEAD = """# The commands

Made of the commands' own parsers, as `equipoise COMMAND --help` is. Every option may also
be typed with underscores (`--batch_size`) and with an equals sign (`--seed=3`). A wrong
command line ends with one line that names every mistake, and with status 2. 0 is success,
1 a failure, 130 and 143 a training that a signal stopped, and that is saved.

`equipoise train DATA --recipe NAME` also takes the fields of that recipe, see
[its page](recipes.md), and those [of a built-in source](settings.md#built-in-sources).
"""
SETTINGS_HEAD = """# The settings

Each setting is one field of a dataclass. It has the same name as a Python keyword, as an
option of the command line (with `-` for `_`), and in `config.json`. A value of the wrong
type, or out of its bounds, is refused in one line.
"""


def commands_page() -> str:
    """The page of all commands."""
    return "\n\n".join([COMMANDS_HEAD.strip(), *map(_command, COMMANDS)]) + "\n"


def _command(name: str) -> str:
    parser = parser_of(name)
    usage = re.sub(r"^ +", "", parser.parser.usage or "", flags=re.M)
    about = (parser.parser.description or "").replace("%%", "%").split("\n\n")[0]
    parts = [f"## {name}", f"```{{.text .usage}}\n{usage}\n```", cell(about)]
    further = []
    for title, settings in parser.groups.items():
        if settings in SETTINGS:
            anchor = "of-a-run" if settings is RunSettings else "of-a-sweep"
            further.append(f"the [{title}](settings.md#{anchor})")
        elif issubclass(settings, Recipe):
            further.append(
                f"the fields of the recipe, such as [{settings.name}'s](recipes/{settings.name}.md)"
            )
        elif settings.__dataclass_fields__:
            if name == "latent":
                parts.append(f"`{title}`: {cell(settings.__doc__ or '')}")
            parts.append(options_table(settings, parser.without))
    if further:
        parts.append(f"Further options are {', and '.join(further)}.")
    return "\n\n".join(parts)


def settings_page() -> str:
    """The page of all settings that are not one recipe's."""
    sources = [
        f"### {name}\n\n{settings_table(distribution)}"
        for name, distribution in DISTRIBUTIONS.items()
        if distribution.__dataclass_fields__
    ]
    parts = [
        SETTINGS_HEAD.strip(),
        "## Of a run\n\nOf `equipoise train`, `equipoise sweep` and `GAN(...)`.",
        settings_table(RunSettings),
        "## Of a sweep\n\nOf `equipoise sweep DATA` and `equipoise.sweep(data, ...)`, see "
        "[Sweeps](sweep.md).",
        settings_table(SweepSettings),
        "## Of every recipe\n\nA recipe may have other defaults, and fields of its own: see "
        "[its page](recipes.md).",
        settings_table(Recipe),
        "## Built-in sources\n\nOf `equipoise train NAME`; in Python fields of the class of "
        "`equipoise.data.distributions`.",
        *sources,
    ]
    return "\n\n".join(parts) + "\n"

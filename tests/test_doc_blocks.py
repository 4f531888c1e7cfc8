"""Every command and every block of code in the documents is run, or says why not."""

from __future__ import annotations

import glob
import re
import shlex
import shutil
import tomllib
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import equipoise
from equipoise.api import GAN
from equipoise.cli.main import COMMANDS
from equipoise.cli.parser import parse
from equipoise.cli.parsers import LATENT, OPTIONS
from equipoise.cli.sweep_options import parse_sweep
from equipoise.cli.train_options import parse_train
from equipoise.data import mnist
from equipoise.metrics import registry
from equipoise.recipes import DEFAULT, find
from tests.documents import DOCUMENTS, ROOT, blocks, digits, tiny, write_files
from tests.helpers import TINY, TINY_OPTIONS, Answer

pytestmark = pytest.mark.usefixtures("brief_reports", "no_pages")

# Documents with tests of their own, which say more of what their code makes.
OWN_TESTS = {
    "README.md": "test_documents.py",
    "python.md": "test_doc_examples.py",
    "tables.md": "test_doc_examples.py",
    "custom-recipe.md": "test_doc_examples.py",
}
# Programs other than equipoise, and where they are run.
PROGRAMS = {
    "make": "CI runs the targets",
    "pip": "`make wheel` installs",
    ".": "`make` calls the environment's programs",
    "torchrun": "tests/runtime/test_nodes.py starts it",
    "pipx": "`make wheel` installs",
    "python": "tests/sampling/test_export.py runs the sampler of an export",
}
# Commands of equipoise that wait for a user.
INTERACTIVE = {"studio": "tests/studio serve it"}
WITH_BLOCKS = [path for path in DOCUMENTS if blocks(path)]
SOURCE, NOT_RUN = "from ", "not run: "


def by_name(path: Path) -> str:
    return path.name


def lines_of(document: Path) -> list[str]:
    """The lines of all blocks of commands that are run."""
    shell = (block for block in blocks(document) if block.is_run and not block.language)
    return [line for block in shell for line in block.commands()]


@pytest.mark.parametrize("document", WITH_BLOCKS, ids=by_name)
def test_every_block_is_code_that_is_run_or_says_why_not(document: Path) -> None:
    for block in blocks(document):
        assert block.language in ("", "python", "toml", "text") or block.marker, block
        if block.language == "toml":
            tomllib.loads(block.text)
        assert block.marker == "" or block.marker.startswith((SOURCE, NOT_RUN)), block
        if block.marker.startswith(SOURCE):
            source = (ROOT / block.marker.removeprefix(SOURCE)).read_text()
            assert block.text in source
    for line in lines_of(document):
        assert line.split()[0] in {"equipoise", *PROGRAMS}, line


def test_the_blocks_that_are_not_run_are_these() -> None:
    counted = Counter(
        path.name
        for path in DOCUMENTS
        for block in blocks(path)
        if block.marker.startswith(NOT_RUN)
    )
    assert counted == {"export.md": 2, "hub.md": 1, "sweep.md": 1}


@pytest.mark.parametrize("document", DOCUMENTS, ids=by_name)
def test_every_command_parses(document: Path) -> None:
    text = re.sub(r"^```.*?^```", "", document.read_text(), flags=re.M | re.S)
    whole = re.findall(r"`(equipoise [a-z]+ (?!--json)[^`\n]+)`", text)
    started = [line.partition("-m ")[2] for line in lines_of(document) if "-m equipoise" in line]
    typed = [line for line in lines_of(document) if line.startswith("equipoise ")]
    for line in [*typed, *started, *whole]:
        command, *arguments = shlex.split(line.partition(" > ")[0])[1:]
        assert command in COMMANDS, line
        if "--help" not in arguments and "..." not in line and " N" not in line:
            parses(command, arguments)


def parses(command: str, arguments: list[str]) -> None:
    if command == "train":
        of_a_run = find(DEFAULT) if {"--resume", "--init-from"} & set(arguments) else None
        named = "--recipe" in arguments and arguments[arguments.index("--recipe") + 1]
        known = find(DEFAULT) if named in ("NAME", "my-hinge") else of_a_run
        arguments = [word for word in arguments if word not in ("--margin", "0.5")]
        parse_train(arguments, known)
    elif command == "sweep":
        parse_sweep(arguments)
    elif command == "latent":
        run, action, *rest = arguments
        parse(LATENT[action], f"latent {action}", [run, *rest])
    else:
        parse(OPTIONS[command], command, arguments)


@pytest.fixture
def place(here: Path, document: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the files that a document speaks of."""
    write_files(here, document.read_text())
    monkeypatch.setattr(mnist, "load", digits)
    return here


def make_missing_runs(
    lines: list[str], place: Path, trained: Path, command: Callable[..., Answer]
) -> None:
    """Runs that a document speaks of before it trains them, or without."""
    for name in ("RUN", "run"):
        shutil.copytree(trained, place / name)
    made: set[str] = set()
    for line in lines:
        for run, data, recipe in re.findall(r"(runs/([\w-]+)-(balanced|classic)-0)", line):
            if run in made:
                continue
            files = [*place.glob(f"{data}.*"), *place.glob(data)]
            source = str(files[0].relative_to(place)) if files else data
            done = command("train", source, "--recipe", recipe, "--out", run, *TINY_OPTIONS)
            assert done.status == 0, done.err
            made.add(run)
        if started := re.match(r"equipoise train ([\w-]+)", line):
            recipe = "classic" if "--recipe classic" in line else DEFAULT
            made.add(f"runs/{started[1]}-{recipe}-0")


@pytest.mark.slow
@pytest.mark.parametrize(
    "document", [path for path in DOCUMENTS if "zh-CN" not in path.name], ids=by_name
)
def test_the_commands_of_a_document_run_from_top_to_bottom(
    document: Path,
    place: Path,
    trained: Path,
    command: Callable[..., Answer],
) -> None:
    lines = [line for line in lines_of(document) if line.startswith("equipoise ")]
    if document.name == "custom-recipe.md" or not lines:  # see OWN_TESTS
        return
    make_missing_runs(lines, place, trained, command)
    for line in lines:
        words = shlex.split(line)[1:]
        if words[0] in INTERACTIVE:
            continue
        found = [path for word in words for path in (sorted(glob.glob(word)) or [word])]
        done = command(*tiny(found))
        assert done.status == 0, (line, done.err)


@pytest.mark.parametrize("name", ["README.md", "docs/what-is-a-gan.md"])
def test_a_translation_has_the_same_code_and_commands(name: str) -> None:
    original = ROOT / name
    translated = original.with_name(f"{original.stem}.zh-CN.md")
    assert _shown(translated) == _shown(original)


def _shown(document: Path) -> list[list[str]]:
    """Code and commands without comments."""
    return [
        [code for line in block.text.splitlines() if (code := line.split("#")[0].rstrip())]
        for block in blocks(document)
        if block.is_run
    ]


@pytest.fixture
def little(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a GAN is asked for, it trains two steps; a sweep has two trials."""
    made, swept = GAN.__init__, equipoise.sweep

    def init(self: GAN, recipe: str = DEFAULT, **given: Any) -> None:
        given.pop("minutes", None)
        made(self, recipe, **{**given, **TINY})

    def sweep(data: Any, **given: Any) -> Any:
        trials = {"trials": 2, "trial_samples": 32, "seeds": 2, "minutes": None}
        return swept(data, **{**given, **trials, "batch_size": 16, "width": 8})

    monkeypatch.setattr(GAN, "__init__", init)
    monkeypatch.setattr(equipoise, "sweep", sweep, raising=False)


def given_names() -> dict[str, dict[str, Any]]:
    """What the text around the blocks of a document has named already."""
    from torch.nn.functional import softplus

    generator, discriminator = torch.nn.Linear(4, 1), torch.nn.Linear(1, 1)
    x, rng = torch.randn(16, 1), np.random.default_rng(0)
    adam = {
        name: torch.optim.Adam(net.parameters())
        for name, net in (("g", generator), ("d", discriminator))
    }

    def descend(loss: torch.Tensor, optimizer: torch.optim.Optimizer) -> None:
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    return {
        "what-is-a-gan.md": {
            "torch": torch,
            "softplus": softplus,
            "G": generator,
            "D": discriminator,
            "x": x,
            "gamma": 0.1,
            "adam_g": adam["g"],
            "adam_d": adam["d"],
            "descend": descend,
        },
        "streams.md": {"Path": Path, "np": np, "GAN": GAN},
        "recipes.md": {"np": np, "GAN": GAN, "images": rng.integers(0, 256, (8, 28, 28), np.uint8)},
        "sweep.md": {"x": rng.normal(size=200)},
    }


@pytest.mark.slow
@pytest.mark.usefixtures("little")
@pytest.mark.parametrize(
    "document",
    [
        path
        for path in WITH_BLOCKS
        if "zh-CN" not in path.name
        and path.name not in OWN_TESTS
        and any(block.is_run and block.language == "python" for block in blocks(path))
    ],
    ids=by_name,
)
def test_the_code_of_a_document_runs_from_top_to_bottom(
    document: Path,
    place: Path,
    trained: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shutil.copytree(trained, place / "run")
    if document.name == "scaling.md":  # it begins a process group
        shutil.rmtree(place / "run")
        for name, value in (("RANK", "0"), ("WORLD_SIZE", "1"), ("MASTER_ADDR", "127.0.0.1")):
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("MASTER_PORT", "0")
    monkeypatch.setattr(registry, "_METRICS", dict(registry._METRICS))
    monkeypatch.setattr(registry, "_MEASURES", list(registry._MEASURES))
    names = {"__name__": "document", **given_names().get(document.name, {})}
    for block in blocks(document):
        if block.is_run and block.language == "python":
            exec(block.text, names)

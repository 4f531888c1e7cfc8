"""Private names of torch are used in one module, and each is still there."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from typing import Any

import pytest

import equipoise
from equipoise.utils import torch_private

PACKAGE = Path(equipoise.__file__).parent
PRIVATE = re.compile(
    r"\btorch(\.\w+)*\._[a-z]"  # torch._dynamo, torch.cpu._is_...
    r"|from torch\.[\w.]* import .*\b_[A-Za-z]"
    r"|\._(schema|overloadname|cdata)\b|flop_registry"
)


def found(dotted: str) -> Any:
    """What a dotted name stands for, imported as far as it is modules."""
    parts = dotted.split(".")
    value: Any = importlib.import_module(parts[0])
    for at, name in enumerate(parts[1:], 2):
        if not hasattr(value, name):
            importlib.import_module(".".join(parts[:at]))
        value = getattr(value, name)
    return value


@pytest.mark.parametrize("name", torch_private.NAMES)
def test_the_installed_torch_has(name: str) -> None:
    try:
        found(name)
    except (AttributeError, ImportError) as error:
        pytest.fail(f"torch no longer has {name}, used for: {torch_private.NAMES[name]} ({error})")


def test_no_other_module_uses_a_private_name_of_torch() -> None:
    users = [
        f"{path.relative_to(PACKAGE)}:{number}: {line.strip()}"
        for path in PACKAGE.rglob("*.py")
        if path.name != "torch_private.py"
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if PRIVATE.search(line)
    ]
    assert users == []


def test_every_private_name_that_the_module_uses_is_in_its_table() -> None:
    text = (PACKAGE / "utils" / "torch_private.py").read_text()
    code = text.split("NAMES = {")[0] + text.split("\n}\n", 1)[1]
    used = set(re.findall(r"(?<=[.\s\"])_(?!_)[a-z_0-9]{4,}\b", code)) | {"flop_registry"}
    named = {part for name in torch_private.NAMES for part in name.split(".")}
    assert used <= named

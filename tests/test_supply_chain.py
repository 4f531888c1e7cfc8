"""What comes with Equipoise: exact versions for CI, and licences that let anybody use
it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

PERMISSIVE = re.compile(
    r"\b(MIT|BSD|0BSD|Apache|PSF|Python Software "
    r"Foundation|ISC|Zlib|HPND|MIT-CMU|CC0|BSL-1\.0|MPL|Mozilla|Unlicense)",
    re.IGNORECASE,
)
COPYLEFT = re.compile(r"\b(A?GPL|LGPL|SSPL|EUPL)|GNU (Affero|Lesser|General)", re.IGNORECASE)
NAME = re.compile(r"[A-Za-z0-9._-]+")


def needed(name: str, seen: set[str]) -> Iterator[str]:
    """The package and all that it needs on this machine, extras aside."""
    key = re.sub(r"[-_.]+", "-", name).lower()
    if key in seen:
        return
    seen.add(key)
    try:
        requires = distribution(name).requires or []
    except PackageNotFoundError:  # for another platform
        return
    yield name
    for requirement in requires:
        found = NAME.match(requirement)
        if found and "extra ==" not in requirement:
            yield from needed(found.group(), seen)


def licence(name: str) -> str:
    """What a package says of its licence: its expression, its first line, or its
    classifiers."""
    about = distribution(name).metadata
    classifiers = [
        text for text in about.get_all("Classifier", []) if text.startswith("License ::")
    ]
    return " ".join(
        [
            about.get("License-Expression", ""),
            (about.get("License") or "").split("\n")[0],
            *classifiers,
        ]
    )


def test_whatever_a_user_gets_has_a_permissive_licence() -> None:
    got = list(needed("equipoise", set()))
    assert len(got) > 10
    assert [
        f"{name}: {licence(name)}"
        for name in got
        if not PERMISSIVE.search(licence(name)) or COPYLEFT.search(licence(name))
    ] == []


def test_ci_installs_exact_versions() -> None:
    lines = (Path(__file__).parents[1] / "constraints.txt").read_text().splitlines()
    loose = [
        line
        for line in lines
        if line
        and not line.startswith("#")
        and not re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.]+", line)
    ]
    assert loose == []
    pinned = {
        re.sub(r"[-_.]+", "-", line.partition("==")[0]).lower() for line in lines if "==" in line
    }
    assert [
        name
        for name in needed("equipoise", set())
        if re.sub(r"[-_.]+", "-", name).lower() not in {*pinned, "equipoise"}
    ] == []

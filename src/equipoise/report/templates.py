"""HTML from Jinja templates."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from equipoise.errors import printable

if TYPE_CHECKING:
    from jinja2 import Template


@cache
def template(text: str) -> Template:
    """A template of a page. It can include files of this package, such as the style of
    all pages."""
    from jinja2 import Environment, FunctionLoader, StrictUndefined

    def finalize(value: object) -> object:
        """Names from files may hold characters that no page can be written with."""
        return printable(value) if isinstance(value, str) else value

    environment = Environment(
        loader=FunctionLoader(
            lambda name: files("equipoise.report").joinpath(name).read_text("utf-8")
        ),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=finalize,
    )
    return environment.from_string(text)

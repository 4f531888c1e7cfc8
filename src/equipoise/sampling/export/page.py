"""A generator as one page that needs no network: onnxruntime-web is in it."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from importlib import resources
from typing import Any

RUNTIME = ("ort.wasm.min.js.gz", "ort-wasm-simd.wasm.gz")


def page(model: bytes, about: Mapping[str, Any], title: str) -> str:
    """The page.

    Args:
        model: The generator as ONNX.
        about: Its description.
        title: Of the page.
    """
    from jinja2 import Environment

    folder = resources.files("equipoise.sampling.export")
    environment = Environment(autoescape=True)
    template = environment.from_string(folder.joinpath("page.html.jinja").read_text("utf-8"))
    script, wasm = (_text(folder.joinpath("web", name).read_bytes()) for name in RUNTIME)
    return template.render(
        title=title,
        description=_json(about),
        program=folder.joinpath("page.js").read_text("utf-8"),
        style=folder.joinpath("page.css").read_text("utf-8"),
        licence=folder.joinpath("web", "LICENSE").read_text("utf-8"),
        runtime_script=script,
        runtime_wasm=wasm,
        model=_text(model),
    )


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")


def _json(about: Mapping[str, Any]) -> str:
    """JSON that cannot end the script that it is in."""
    text = json.dumps(about, ensure_ascii=False, allow_nan=False)
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")

"""Generators as ONNX files, and what they make under onnxruntime."""

from __future__ import annotations

import contextlib
import io
import json
import logging
import warnings
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, cast

import torch
from numpy.typing import NDArray

from equipoise.errors import RequestError
from equipoise.sampling.export.graph import Inputs, input_names, traced
from equipoise.sampling.export.special_functions import replacements
from equipoise.sampling.sampler import Sampler

if TYPE_CHECKING:
    import onnx

METADATA_KEY = "equipoise"
OUTPUT = "x"
OPSET = 18
IR_VERSION = 9  # which runtimes from 2023 on read


def require() -> None:
    """Raises:
    RequestError: The extra is not installed."""
    try:
        import onnx  # noqa: F401
        import onnxruntime  # noqa: F401
        import onnxscript  # noqa: F401
    except ImportError as error:
        raise RequestError(
            f"an ONNX file needs the package {error.name}: pip install 'equipoise[export]'"
        ) from None


def onnx_model(sampler: Sampler, metadata: Mapping[str, Any]) -> onnx.ModelProto:
    """The generator as an ONNX model, with its description in the metadata."""
    require()
    program = traced(sampler)
    table = {**torch.export.default_decompositions(), **replacements()}
    with quiet(), torch.no_grad():
        program = program.run_decompositions(table)
        exported = torch.onnx.export(
            program,
            dynamo=True,
            opset_version=OPSET,
            input_names=list(input_names(sampler)),
            output_names=[OUTPUT],
            verbose=False,
            optimize=False,  # torch 2.13 makes an invalid model of two bounds on one value
        )
    assert exported is not None
    model = exported.model_proto
    model.ir_version = IR_VERSION
    _clean(model)
    entry = model.metadata_props.add()
    entry.key = METADATA_KEY
    entry.value = json.dumps(metadata, ensure_ascii=False, allow_nan=False)
    return model


def run_onnx(content: bytes, inputs: Inputs) -> NDArray[Any]:
    """What a model makes of inputs, on the CPU, by one thread."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    arrays = {name: value.numpy() for name, value in inputs.items()}
    return cast(NDArray[Any], session.run([OUTPUT], arrays)[0])


def _clean(model: onnx.ModelProto) -> None:
    """Take out what torch notes for debugging, paths of source files among it."""
    model.producer_name, model.producer_version = "equipoise", ""
    model.doc_string = model.graph.doc_string = ""
    del model.metadata_props[:]
    del model.graph.metadata_props[:]
    del model.graph.value_info[:]
    for node in model.graph.node:
        node.doc_string = ""
        del node.metadata_props[:]
    for value in (*model.graph.input, *model.graph.output, *model.graph.initializer):
        value.doc_string = ""
        del value.metadata_props[:]
    for function in model.functions:
        del function.metadata_props[:]
        for node in function.node:
            node.doc_string = ""
            del node.metadata_props[:]


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """torch tells of every stage, and warns of things that are no user's."""
    loggers = [logging.getLogger(name) for name in ("torch.onnx", "onnxscript", "onnx_ir")]
    levels = [logger.level for logger in loggers]
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        for logger in loggers:
            logger.setLevel(logging.ERROR)
        try:
            yield
        finally:
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)

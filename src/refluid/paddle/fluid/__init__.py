"""`paddle.fluid`: everything a dynamic-graph program imports. May import: its own files."""

from __future__ import annotations

from refluid.paddle.fluid import (
    average,
    clip,
    contrib,
    core,
    dataloader,
    dygraph,
    framework,
    initializer,
    io,
    layers,
    metrics,
    nets,
    optimizer,
    param_attr,
    reader,
    regularizer,
    unique_name,
    wrapped_decorator,
)
from refluid.paddle.fluid.core import CPUPlace, CUDAPinnedPlace, CUDAPlace
from refluid.paddle.fluid.dygraph import nn as _nn
from refluid.paddle.fluid.dygraph.base import (
    disable_dygraph,
    disable_imperative,
    enable_dygraph,
    enable_imperative,
)
from refluid.paddle.fluid.dygraph.checkpoint import load_dygraph, save_dygraph
from refluid.paddle.fluid.dygraph.layers import Layer
from refluid.paddle.fluid.dygraph.nn import *  # noqa: F403
from refluid.paddle.fluid.framework import (
    Program,
    Variable,
    cpu_places,
    cuda_pinned_places,
    cuda_places,
    default_main_program,
    default_startup_program,
    in_dygraph_mode,
    is_compiled_with_cuda,
    program_guard,
    require_version,
)
from refluid.paddle.fluid.input import embedding, one_hot
from refluid.paddle.fluid.param_attr import ParamAttr

__all__ = [
    "CPUPlace",
    "CUDAPinnedPlace",
    "CUDAPlace",
    "Layer",
    "ParamAttr",
    "Program",
    "Variable",
    "average",
    "clip",
    "contrib",
    "core",
    "cpu_places",
    "cuda_pinned_places",
    "cuda_places",
    "dataloader",
    "default_main_program",
    "default_startup_program",
    "disable_dygraph",
    "disable_imperative",
    "dygraph",
    "embedding",
    "enable_dygraph",
    "enable_imperative",
    "framework",
    "in_dygraph_mode",
    "initializer",
    "io",
    "is_compiled_with_cuda",
    "layers",
    "load_dygraph",
    "metrics",
    "nets",
    "one_hot",
    "optimizer",
    "param_attr",
    "program_guard",
    "reader",
    "regularizer",
    "require_version",
    "save_dygraph",
    "unique_name",
    "wrapped_decorator",
]
__all__ += _nn.__all__

"""`paddle.fluid`: everything a dynamic-graph program imports. May import: its own files."""

from __future__ import annotations

from refluid.paddle.fluid import (
    average,
    clip,
    compiler,
    contrib,
    core,
    data_feeder,
    dataloader,
    dygraph,
    framework,
    initializer,
    install_check,
    io,
    layers,
    lod_tensor,
    log_helper,
    metrics,
    nets,
    optimizer,
    param_attr,
    profiler,
    reader,
    regularizer,
    unique_name,
    wrapped_decorator,
)
from refluid.paddle.fluid.compiler import BuildStrategy, ExecutionStrategy
from refluid.paddle.fluid.core import (
    CPUPlace,
    CUDAPinnedPlace,
    CUDAPlace,
    LoDTensor,
    LoDTensorArray,
)
from refluid.paddle.fluid.data import data
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
from refluid.paddle.fluid.dygraph.varbase_patch_methods import monkey_patch_varbase
from refluid.paddle.fluid.framework import (
    ComplexVariable,
    Program,
    Variable,
    cpu_places,
    cuda_pinned_places,
    cuda_places,
    default_main_program,
    default_startup_program,
    device_guard,
    get_flags,
    in_dygraph_mode,
    is_compiled_with_cuda,
    name_scope,
    program_guard,
    require_version,
    set_flags,
)
from refluid.paddle.fluid.input import embedding, one_hot
from refluid.paddle.fluid.io import load_program_state
from refluid.paddle.fluid.layers.math_op_patch import monkey_patch_variable
from refluid.paddle.fluid.lod_tensor import create_lod_tensor, create_random_int_lodtensor
from refluid.paddle.fluid.param_attr import ParamAttr

Tensor = LoDTensor

__all__ = [
    "BuildStrategy",
    "CPUPlace",
    "CUDAPinnedPlace",
    "CUDAPlace",
    "ComplexVariable",
    "ExecutionStrategy",
    "Layer",
    "LoDTensor",
    "LoDTensorArray",
    "ParamAttr",
    "Program",
    "Tensor",
    "Variable",
    "average",
    "clip",
    "compiler",
    "contrib",
    "core",
    "cpu_places",
    "create_lod_tensor",
    "create_random_int_lodtensor",
    "cuda_pinned_places",
    "cuda_places",
    "data",
    "data_feeder",
    "dataloader",
    "default_main_program",
    "default_startup_program",
    "device_guard",
    "disable_dygraph",
    "disable_imperative",
    "dygraph",
    "embedding",
    "enable_dygraph",
    "enable_imperative",
    "framework",
    "get_flags",
    "in_dygraph_mode",
    "initializer",
    "install_check",
    "io",
    "is_compiled_with_cuda",
    "layers",
    "load_dygraph",
    "load_program_state",
    "lod_tensor",
    "log_helper",
    "metrics",
    "monkey_patch_varbase",
    "monkey_patch_variable",
    "name_scope",
    "nets",
    "one_hot",
    "optimizer",
    "param_attr",
    "profiler",
    "program_guard",
    "reader",
    "regularizer",
    "require_version",
    "save_dygraph",
    "set_flags",
    "unique_name",
    "wrapped_decorator",
]
__all__ += _nn.__all__

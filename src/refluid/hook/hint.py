"""What to write in place of a name that refluid does not have.

A table by hand for names of the static graph, which have no namesake in the dynamic one; for all
others the same name elsewhere in refluid, or names spelled alike. Only names that work are offered:
a test resolves every name in the table.
May import: catalog.
"""

from __future__ import annotations

import difflib

from refluid.hook import catalog

__all__ = ["HINTS", "PADDLE_2", "nearest"]

_EAGER = (
    "layers run at once on `fluid.dygraph.to_variable(array)` under `with fluid.dygraph.guard():`, "
    "so there is no program to build, feed and run"
)
_FEED = "hand an array to `fluid.dygraph.to_variable(array)`, or use `fluid.io.DataLoader`"
_SAVE = "`fluid.dygraph.save_dygraph(model.state_dict(), path)`"
_LOAD = "`fluid.dygraph.load_dygraph(path)`"
_FLOW = "Python's own `if`, `for` and `while` under `with fluid.dygraph.guard():`"
_LENGTHS = "there are no sequences of varying length (LoD), so pad them to one length"
_ALONE = "the program runs in one process under `with fluid.dygraph.guard():`"
_AS_IS = "leave it out: layers run as they are, each being a `torch.nn.Module`"
_STATE = "`model.state_dict()` and `optimizer.state_dict()` hold the variables by name"
_STEPS = "`fluid.layers.rnn` with a `fluid.layers.GRUCell` or `fluid.layers.LSTMCell`"
_BEAMS = "`fluid.layers.dynamic_decode` with a `fluid.layers.BeamSearchDecoder`"

# Keyed by the last part of the name, or by the whole of it where the last part says too little.
HINTS = {
    **dict.fromkeys(
        (
            "Executor CompiledProgram append_backward gradients scope_guard global_scope Scope "
            "executor backward Operator"
        ).split(),
        _EAGER,
    ),
    **dict.fromkeys(
        "DataFeeder data_feeder py_reader create_py_reader_by_data read_file "
        "double_buffer DatasetFactory InMemoryDataset QueueDataset".split(),
        _FEED,
    ),
    **dict.fromkeys(
        "save_params save_persistables save_vars save_inference_model save".split(), _SAVE
    ),
    **dict.fromkeys(
        "load_params load_persistables load_vars load_inference_model load "
        "set_program_state".split(),
        _LOAD,
    ),
    **dict.fromkeys("While IfElse Switch StaticRNN DynamicRNN cond while_loop case".split(), _FLOW),
    **dict.fromkeys(
        "lod_reset lod_append sequence_conv sequence_pool sequence_expand sequence_softmax "
        "sequence_pad sequence_unpad sequence_reverse sequence_concat sequence_first_step "
        "sequence_last_step sequence_slice sequence_reshape".split(),
        _LENGTHS,
    ),
    **dict.fromkeys(
        "ParallelExecutor DistributeTranspiler DistributeTranspilerConfig transpiler fleet "
        "parallel_executor DataParallel prepare_context".split(),
        _ALONE,
    ),
    **dict.fromkeys("memory_optimize release_memory create_program_from_desc".split(), _AS_IS),
    **dict.fromkeys(
        "get_parameter_value get_parameter_value_by_name is_belong_to_optimizer "
        "is_persistable".split(),
        _STATE,
    ),
    "cuda_profiler": "`fluid.profiler.profiler('GPU')`",
    "StaticModelRunner": "write the model as a Layer, and " + _LOAD,
    **dict.fromkeys("dynamic_gru dynamic_lstm dynamic_lstmp lstm".split(), _STEPS),
    **dict.fromkeys("beam_search beam_search_decode".split(), _BEAMS),
    "RowConv": "`fluid.layers.row_conv`",
    "SequenceConv": _LENGTHS,
    "paddle.fluid.layers.fc": "`fluid.dygraph.Linear`",
    "paddle.fluid.layers.conv2d": "`fluid.dygraph.Conv2D`",
    "paddle.fluid.layers.batch_norm": "`fluid.dygraph.BatchNorm`",
    "paddle.fluid.layers.layer_norm": "`fluid.dygraph.LayerNorm`",
    "paddle.fluid.layers.embedding": "`fluid.dygraph.Embedding`",
    "paddle.fluid.embedding": "`fluid.dygraph.Embedding`",
}

# Names of the top-level package that came with Paddle 2.
PADDLE_2 = frozenset(
    "CPUPlace CUDAPlace DataParallel Model ParamAttr Tensor abs add amp arange argmax argsort "
    "autograd callbacks cast clip concat create_parameter cross disable_static divide "
    "enable_static equal exp expand eye flatten flops full full_like gather get_default_dtype "
    "get_device grad hub in_dynamic_mode increment inference io is_compiled_with_cuda is_tensor "
    "jit linalg linspace load log matmul max mean meshgrid metric min mm multiply nn no_grad "
    "nonzero norm normal numel onnx ones ones_like optimizer pow prod profiler rand randint randn "
    "randperm rank reshape save scale seed set_default_dtype set_device set_grad_enabled shape "
    "signal sparse split sqrt square squeeze stack static std subtract sum summary t tanh tensor "
    "text tile to_tensor topk transpose uniform unsqueeze vision where zeros "
    "zeros_like".split()
)


def nearest(dotted: str) -> str | None:
    """Return what to use in place of Paddle's `dotted`, None where nothing comes close."""
    module, _, name = dotted.rpartition(".")
    hint = HINTS.get(dotted) or HINTS.get(name)
    if hint is not None:
        return hint
    known = catalog.load()
    namesakes = [
        f"{home}.{name}" for home in known.homes(name) if catalog.is_implemented(f"{home}.{name}")
    ]
    if namesakes:
        return f"`{namesakes[0]}`"
    candidates = [
        each for each in known.names.get(module, ()) if catalog.is_implemented(f"{module}.{each}")
    ]
    close = difflib.get_close_matches(name, candidates, n=3, cutoff=0.7)
    return " or ".join(f"`{module}.{each}`" for each in close) or None

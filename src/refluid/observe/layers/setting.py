"""A layer's settings, under one name for each, whatever the library that the layer is of.

They are read from the attributes that PyTorch's layers and those of old fluid programs have, and
from nothing else: no library has to be known, and a layer of one's own that uses the same names is
described too.
May import: torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

__all__ = ["settings_of", "settings_text"]

# name of the setting, and where it may be found; fluid's attributes begin with an underscore
_ATTRIBUTES: dict[str, tuple[str, ...]] = {
    "in_channels": ("in_channels", "_num_channels"),
    "out_channels": ("out_channels", "_num_filters"),
    "in_features": ("in_features", "in1_features", "_input1_dim"),
    "out_features": ("out_features", "_output_dim"),
    "num_features": ("num_features",),
    "num_channels": ("num_channels", "_channels"),
    "normalized_shape": ("normalized_shape", "_normalized_shape"),
    "num_embeddings": ("num_embeddings",),
    "embedding_dim": ("embedding_dim",),
    "embed_dim": ("embed_dim",),
    "num_heads": ("num_heads",),
    "input_size": ("input_size",),
    "hidden_size": ("hidden_size",),
    "num_layers": ("num_layers",),
    "bidirectional": ("bidirectional",),
    "pool": ("_pool_type",),
    "kernel": ("kernel_size", "_pool_size"),
    "stride": ("stride", "_stride", "_pool_stride"),
    "padding": ("padding", "_padding", "_pool_padding"),
    "output_padding": ("output_padding",),
    "dilation": ("dilation", "_dilation"),
    "groups": ("groups", "_groups", "num_groups"),
    "padding_mode": ("padding_mode",),
    "padding_idx": ("padding_idx", "_padding_idx"),
    "output_size": ("output_size", "_output_size"),
    "global": ("_global_pooling",),
    "ceil_mode": ("ceil_mode", "_ceil_mode"),
    "p": ("p", "_dropout_prob"),
    "dropout": ("dropout",),
    "mode": ("mode", "_mode", "_dropout_implementation"),
    "eps": ("eps", "_epsilon"),
    "momentum": ("momentum", "_momentum"),
    "negative_slope": ("negative_slope",),
    "scale_factor": ("scale_factor",),
    "start_dim": ("start_dim",),
    "end_dim": ("end_dim",),
    "nonlinearity": ("nonlinearity",),
    "act": ("_act",),
}
_NAMES = {attribute: name for name, found in _ATTRIBUTES.items() for attribute in found}
# what a text leaves out, as it says nothing
_USUAL: dict[str, tuple[Any, ...]] = {
    "dilation": (1,),
    "groups": (1,),
    "output_padding": (0,),
    "padding_mode": ("zeros",),
    "num_layers": (1,),
    "dropout": (0.0,),
    "start_dim": (1,),
    "end_dim": (-1,),
}
_PAIRS = (("in_channels", "out_channels"), ("in_features", "out_features"))
_PLAIN = (bool, int, float, str)


def settings_of(module: torch.nn.Module) -> dict[str, Any]:
    """Return a layer's settings by name: numbers, texts, and tuples of them.

    Args:
        module: any layer; those of PyTorch and of fluid programs are known.
    """
    kind = type(module).__name__
    found = {}
    for attribute, value in vars(module).items():
        name = _NAMES.get(attribute)
        plain = None if name is None or value is None else _plain(value)
        # a recurrent layer's mode is its class's name once more
        if name is not None and plain is not None and plain != kind:
            found[name] = plain
    if "Pool" in kind and "pool" not in found:
        found["pool"] = "max" if "Max" in kind else "avg" if "Avg" in kind else kind.lower()
    _add_sizes(module, kind, found)
    return {name: found[name] for name in (*_ATTRIBUTES, *found) if name in found}


def _add_sizes(module: torch.nn.Module, kind: str, found: dict[str, Any]) -> None:
    """Add the sizes that only the weight tells, as in fluid's layers."""
    weight = module._parameters.get("weight")
    if weight is None or torch.nn.parameter.is_lazy(weight):
        return
    sizes = tuple(weight.size())
    if kind == "Linear" and "in_features" not in found and len(sizes) == 2:
        found["in_features"], found["out_features"] = sizes
    if "_filter_size" in vars(module) and "kernel" not in found and len(sizes) > 2:
        found["kernel"] = sizes[2:]


def settings_text(settings: Mapping[str, Any]) -> str:
    """Return settings in a few words, such as `1 -> 20, kernel 5x5, stride 1, padding 2`."""
    left = dict(settings)
    words = []
    for before, after in _PAIRS:
        if before in left and after in left:
            words.append(f"{left.pop(before)} -> {left.pop(after)}")
    for name, value in left.items():
        if value is False or _single(value) in _USUAL.get(name, ()):
            continue
        words.append(name if value is True else f"{name} {_text(value)}")
    return ", ".join(words)


def _plain(value: Any) -> Any:
    """Return a value as one of plain types, or None if it is none."""
    if isinstance(value, (list, tuple)) and value and all(isinstance(v, _PLAIN) for v in value):
        return tuple(value)
    return value if isinstance(value, _PLAIN) else None


def _single(value: Any) -> Any:
    return value[0] if isinstance(value, tuple) and len(set(value)) == 1 else value


def _text(value: Any) -> str:
    if isinstance(value, tuple):
        return "x".join(map(str, value))
    return f"{value:g}" if isinstance(value, float) else str(value)

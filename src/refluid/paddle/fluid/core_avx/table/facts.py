"""What Paddle 1.8.5 says about each of its operators: slots and attributes, as facts.

`operators.json` has one line for each of the 392 operators that `core.ops` has: inputs, outputs,
and attributes with their kinds and defaults. It was written under Paddle 1.8.5 by a loop over
`core.ops` that reads `OpProtoHolder.instance().op_proto_map` for slots and kinds, and
`core.get_op_attrs_default_value` for defaults (shortened to the digits that a 32-bit float
needs); that the arguments of each `core.ops` function follow from these facts was checked against
all 392 docstrings. A slot's name is followed by marks:

    *  a list of variables      ?  may be missing      !  for the backward pass alone
    +  may be missing, yet `core.ops` takes it
    =  `core.ops` takes the variable to write to, after all inputs

May import: standard library.
"""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

__all__ = ["STATIC_ONLY", "Attribute", "Facts", "Slot", "facts_of", "names"]

# operators of Paddle 1.8.5 that the static graph alone can run
STATIC_ONLY = frozenset(
    """array_to_lod_tensor beam_search_decode c_comm_init c_comm_init_all c_sync_calc_stream
    c_sync_comm_stream checkpoint_notify conditional_block conditional_block_infer
    create_double_buffer_reader create_py_reader delete_var fake_init feed fetch fetch_barrier
    fl_listen_and_serv get_places listen_and_serv lod_array_length lod_rank_table
    lod_tensor_to_array lookup_sparse_table max_sequence_len merge_lod_tensor
    merge_lod_tensor_infer prefetch print py_func read read_from_array recurrent recv
    reorder_lod_tensor_by_rank rnn_memory_helper select_input select_output send send_barrier
    shrink_rnn_memory split_lod_tensor tensor_array_to_tensor while write_to_array""".split()
)
_NO_DEFAULT = object()


@dataclass(frozen=True)
class Slot:
    """One input or output of an operator."""

    name: str
    many: bool
    optional: bool
    internal: bool
    # whether `core.ops` takes it: an input, or an output to write to
    taken: bool


@dataclass(frozen=True)
class Attribute:
    """One setting of an operator: its kind (a letter, see `attribute.py`) and its default."""

    kind: str
    default: Any = _NO_DEFAULT

    @property
    def required(self) -> bool:
        """Whether there is no default."""
        return self.default is _NO_DEFAULT


@dataclass(frozen=True)
class Facts:
    """An operator's inputs, outputs and attributes, in Paddle's order."""

    inputs: tuple[Slot, ...]
    outputs: tuple[Slot, ...]
    attributes: dict[str, Attribute]


@functools.cache
def _table() -> dict[str, Any]:
    text = (files("refluid.paddle.fluid.core_avx.table") / "operators.json").read_text(
        encoding="ascii"
    )
    return json.loads(text)


def _slots(text: str, mark: str) -> tuple[Slot, ...]:
    slots = []
    for word in text.split():
        name = word.rstrip("*?!+=")
        marks = word[len(name) :]
        optional = "?" in marks
        taken = mark in marks or (mark == "+" and not optional)
        slots.append(Slot(name, "*" in marks, optional, "!" in marks, taken))
    return tuple(slots)


@functools.cache
def facts_of(op_type: str) -> Facts | None:
    """Return what Paddle says about an operator, None if `core.ops` has none of that name."""
    entry = _table().get(op_type)
    if entry is None:
        return None
    inputs, outputs, attributes = entry
    made = {name: Attribute(*words) for name, words in attributes.items()}
    return Facts(_slots(inputs, "+"), _slots(outputs, "="), made)


def names() -> list[str]:
    """Return the names of all operators that `core.ops` of Paddle 1.8.5 has."""
    return list(_table())

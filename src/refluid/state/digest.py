"""Hash every part of a packed state, so that two states can be compared without keeping both.

Besides the leaves, every container has a digest, of its kind and its keys: two states are equal if
all their digests are.
May import: torch, tree.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any

import torch

from refluid.state.tree import Packed, join

__all__ = ["digests", "hash_tensor"]

_SEQUENCES = ("tuple", "set", "frozenset")
_MAPPINGS = ("dict", "counter", "defaultdict", "ordereddict")


def digests(packed: Packed) -> dict[str, str]:
    """Return 16 hex digits for each leaf and each container, by its path.

    Of a tensor or array they are a hash of its kind, dtype, shape and bytes, but not of its device
    and its order in memory. Equal parts have equal digests, others differ but for one chance in
    2**64. The order of keys counts in an OrderedDict only. Of several parts whose paths read the
    same, the later get a `#2` and so on.

    Args:
        packed: what `refluid.state.tree.pack` returned.
    """
    contents = {name: hash_tensor(tensor) for name, tensor in packed.tensors.items()}
    result: dict[str, str] = {}
    for path, what in _parts(packed.structure, "", contents):
        name, count = path, 1
        while name in result:
            count += 1
            name = f"{path}#{count}"
        result[name] = hashlib.blake2b(what.encode(), digest_size=8).hexdigest()
    return result


def hash_tensor(tensor: torch.Tensor, num_bytes: int = 8) -> str:
    """Return a tensor's dtype, shape and a hash of its bytes, whatever their order in memory.

    Args:
        tensor: plain, on the CPU.
        num_bytes: of the hash, each two hex digits.
    """
    flat = tensor.reshape(-1).view(torch.uint8).numpy()
    digest = hashlib.blake2b(flat.data if flat.size else b"", digest_size=num_bytes).hexdigest()
    return f"{tensor.dtype} {list(tensor.shape)} {digest}"


def _parts(node: Any, path: str, contents: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Give the path of each part, and a text that says all about it but its parts."""
    if isinstance(node, list):
        node = {"list": node}
    if not isinstance(node, dict):
        yield path, json.dumps(node)
        return
    ((kind, body),) = node.items()
    if kind == "list" or kind in _SEQUENCES:
        yield path, f"{kind} {len(body)}"
        for number, item in enumerate(body):
            yield from _parts(item, join(path, number), contents)
    elif kind in _MAPPINGS:
        yield from _mapping_parts(kind, body, path, contents)
    elif kind == "tensor":
        yield path, f"tensor {contents[body['name']]}"
    elif kind == "array":
        yield path, f"array {body['dtype']} {body['shape']} {contents[body['name']]}"
    else:
        yield path, json.dumps(node)


def _mapping_parts(
    kind: str, body: Any, path: str, contents: dict[str, str]
) -> Iterator[tuple[str, str]]:
    about = dict(body) if isinstance(body, dict) else {"items": body}
    pairs = about.pop("items")
    keys = [json.dumps(key) for key, _ in pairs]
    yield path, f"{kind} {keys if kind == 'ordereddict' else sorted(keys)} {json.dumps(about)}"
    for key, item in pairs:
        yield from _parts(item, join(path, _text(key)), contents)


def _text(key: Any) -> str:
    return key if isinstance(key, str) else json.dumps(key)

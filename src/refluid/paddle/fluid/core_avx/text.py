"""The text that `print(variable)` gives, as Paddle's C++ streams write it. May import: torch."""

from __future__ import annotations

from collections.abc import Iterable

import torch

__all__ = ["tensor_text"]

_C_TYPES = {
    torch.float16: "::paddle::platform::float16",
    torch.float32: "float",
    torch.float64: "double",
    torch.int8: "int8_t",
    torch.uint8: "uint8_t",
    torch.int16: "int16_t",
    torch.int32: "int",
    torch.int64: "int64_t",
    torch.bool: "bool",
}


def tensor_text(tensor: torch.Tensor, lod: Iterable[list[int]] = ()) -> str:
    """Return LoD, dims, layout, type and all values, flat, six significant digits."""
    # not tensor.detach(), which would count as one more variable
    plain = torch.Tensor.detach(tensor).cpu()
    number = "%g" if plain.is_floating_point() else "%d"
    data = " ".join([number % v for v in plain.flatten().tolist()])
    dims = ", ".join(str(n) for n in plain.shape)
    levels = "".join(f"{{{', '.join(map(str, level))}}}" for level in lod)
    return (
        f"\tlod: {{{levels}}}\n\tdim: {dims}\n\tlayout: NCHW\n\t"
        f"dtype: {_C_TYPES[plain.dtype]}\n\tdata: [{data}]\n"
    )

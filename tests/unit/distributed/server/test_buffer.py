from __future__ import annotations

import pytest
import torch

from refluid.distributed.server.buffer import pack, spec_of, unpack


def tensors():
    generator = torch.Generator().manual_seed(3)
    return [
        torch.tensor([True, False, True]),
        torch.randn(2, 3, generator=generator, dtype=torch.float64),
        torch.randn(5, generator=generator).to(torch.bfloat16),
        torch.empty(0, 4),
        torch.randn(4, 3, generator=generator).t(),
        torch.tensor(7),
    ]


def test_tensors_come_back_with_their_bits():
    given = tensors()
    specs = [spec_of(str(k), tensor) for k, tensor in enumerate(given)]
    back = list(unpack(pack(given), specs))
    assert [t.dtype for t in back] == [t.dtype for t in given]
    assert all(torch.equal(a, b) for a, b in zip(given, back, strict=True))


def test_what_comes_back_is_a_copy():
    given = torch.zeros(3)
    buffer = pack([given])
    (back,) = unpack(buffer, [spec_of("w", given)])
    back += 1
    assert buffer.tobytes() == bytes(12)


def test_a_buffer_of_another_size_is_refused():
    given = torch.zeros(3)
    with pytest.raises(ValueError, match="`buffer` must have 12 bytes, but has 8."):
        list(unpack(pack([given])[:8], [spec_of("w", given)]))

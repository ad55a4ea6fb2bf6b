"""`fluid.io` gathers readers and loaders, the same objects as elsewhere."""

from __future__ import annotations

from refluid.paddle import reader
from refluid.paddle.batch import batch
from refluid.paddle.fluid import dataloader, io
from refluid.paddle.fluid import reader as loaders
from refluid.paddle.fluid.dataloader import dataloader_iter


def test_names_are_those_of_the_other_modules():
    for module in (reader, loaders, dataloader):
        for name in module.__all__:
            assert getattr(io, name) is getattr(module, name)
    assert io.default_collate_fn is dataloader_iter.default_collate_fn
    assert io.batch is batch
    assert io.reader is loaders


def test_functions_of_the_static_graph_are_absent():
    for name in ("save", "load", "save_params", "save_inference_model", "load_program_state"):
        assert not hasattr(io, name)

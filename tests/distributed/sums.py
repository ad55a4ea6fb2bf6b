"""A program for two processes: what `DataParallel` does with gradients, checked in each of them.

It is started by test_sums.py, and prints the name of each check that has passed.
"""

import re
import sys

import numpy as np
import paddle.fluid as fluid
import pytest
import torch
from paddle.fluid.dygraph import to_variable
from paddle.fluid.dygraph.nn import Embedding, Linear
from paddle.fluid.dygraph.parallel import DataParallel, Env, prepare_context

import refluid.distributed as distributed
from refluid.distributed import gradients

CHECKS = []
# new memory is filled with NaN, which would show where it is read
torch.use_deterministic_algorithms(True)
rank = Env().local_rank
other = 1 - rank


def check(function):
    CHECKS.append(function)
    return function


class Pair(fluid.dygraph.Layer):
    """Two weights, of which a program uses which it wants."""

    def __init__(self):
        super().__init__()
        self.a = self.create_parameter([2, 3], default_initializer=fluid.initializer.Constant(1.0))
        self.b = self.create_parameter([3], default_initializer=fluid.initializer.Constant(2.0))

    def forward(self, factor_a, factor_b):
        loss = fluid.layers.reduce_sum(self.a * 0.0)
        if factor_a is not None:
            loss = loss + fluid.layers.reduce_sum(self.a) * float(factor_a)
        if factor_b is not None:
            loss = loss + fluid.layers.reduce_sum(self.b) * float(factor_b)
        return loss


def pair():
    model = DataParallel(Pair(), strategy)
    return model, model._layers.a, model._layers.b


def values(grad):
    return None if grad is None else sorted(set(np.asarray(grad).ravel().tolist()))


@check
def gradients_are_summed_and_the_loss_is_scaled():
    model, a, b = pair()
    loss = model(4.0 + rank, 10.0 * (rank + 1))
    assert model.scale_loss(loss).numpy()[0] == loss.numpy()[0] / 2
    model.scale_loss(loss).backward()
    model.apply_collective_grads()
    assert values(a.gradient()) == [4.5]
    assert values(b.gradient()) == [15.0]


@check
def a_parameter_that_one_rank_did_not_use_gets_the_sum_in_both():
    model, a, b = pair()
    model(1.0, 7.0 if rank else None).backward()
    assert (b.gradient() is None) == (rank == 0)
    model.apply_collective_grads()
    assert values(a.gradient()) == [2.0]
    assert values(b.gradient()) == [7.0]


@check
def a_parameter_that_no_rank_used_stays_without_a_gradient():
    model, _, b = pair()
    model(1.0, None).backward()
    model.apply_collective_grads()
    assert b.gradient() is None


@check
def a_frozen_parameter_is_left_out_until_it_is_trained():
    inner = Pair()
    inner.b.stop_gradient = True
    model = DataParallel(inner, strategy)
    model(1.0, 3.0).backward()
    model.apply_collective_grads()
    assert inner.b.gradient() is None
    inner.b.stop_gradient = False
    model(1.0, 3.0 + rank).backward()
    model.apply_collective_grads()
    assert values(inner.b.gradient()) == [7.0]


@check
def after_two_backward_passes_the_gradients_of_the_last_are_summed():
    model, a, b = pair()
    model(1.0, 1.0).backward()
    model(5.0 + rank, None).backward()
    model.apply_collective_grads()
    assert values(a.gradient()) == [11.0]
    # of the first pass: the second did not reach it
    assert values(b.gradient()) == [2.0]


@check
def a_pass_in_one_rank_alone_makes_both_sum_again():
    model, a, b = pair()
    model(1.0, 1.0).backward()
    if rank:
        model(6.0, 6.0).backward()
    model.apply_collective_grads()
    assert values(a.gradient()) == [7.0]
    assert values(b.gradient()) == [7.0]


@check
def a_gradient_that_was_changed_after_the_pass_is_summed_as_it_is():
    model, a, b = pair()
    model(1.0, 1.0).backward()
    if rank:
        torch.Tensor.mul_(a.grad, 10.0)
        b.clear_gradient()
    model.apply_collective_grads()
    assert values(a.gradient()) == [11.0]
    assert values(b.gradient()) == [1.0]


@check
def summing_twice_sums_the_sums():
    model, a, _ = pair()
    model(1.0, 1.0).backward()
    model.apply_collective_grads()
    model.apply_collective_grads()
    assert values(a.gradient()) == [4.0]


@check
def sums_begin_during_the_backward_pass_and_small_buckets_give_the_same():
    before = gradients._FIRST_BYTES, gradients._BYTES
    found = []
    for size in (before, (4, 4)):
        gradients._FIRST_BYTES, gradients._BYTES = size
        fluid.default_main_program().random_seed = 5
        inner = fluid.dygraph.Sequential(Linear(4, 8, act="tanh"), Linear(8, 2))
        model = DataParallel(inner, strategy)
        x = to_variable(np.random.RandomState(rank).rand(6, 4).astype("float32"))
        fluid.layers.mean(model(x)).backward()
        started = [bucket.work is not None for bucket in model._sum._buckets]
        assert all(started), started
        assert not any(bucket.is_stale(model._sum._params) for bucket in model._sum._buckets)
        assert len(started) == (1 if size == before else 4)
        model.apply_collective_grads()
        found.append([p.gradient().tobytes() for p in inner.parameters()])
    gradients._FIRST_BYTES, gradients._BYTES = before
    assert found[0] == found[1]
    everywhere = distributed.joined().gather([part.hex() for part in found[0]])
    assert everywhere[0] == everywhere[1]


@check
def sparse_gradients_are_gathered_rank_by_rank():
    model = DataParallel(Embedding([5, 2], is_sparse=True), strategy)
    for _ in range(2):
        numbers = np.array([0, 3] if rank == 0 else [4, 3, 3], "int64")
        out = model(to_variable(numbers))
        fluid.layers.reduce_sum(out * float(rank + 1)).backward()
        model.apply_collective_grads()
        found, rows = model._layers.weight.gradient()
        assert rows.tolist() == [0, 3, 4, 3, 3]
        assert found.tolist() == [[1.0] * 2] * 2 + [[2.0] * 2] * 3
        model.clear_gradients()


@check
def a_sparse_gradient_of_one_rank_reaches_the_other():
    model = DataParallel(Embedding([5, 2], is_sparse=True), strategy)
    if rank == 0:
        fluid.layers.reduce_sum(model(to_variable(np.array([2], "int64")))).backward()
    model.apply_collective_grads()
    found, rows = model._layers.weight.gradient()
    assert (rows.tolist(), found.tolist()) == ([2], [[1.0, 1.0]])


@check
def sparse_and_dense_gradients_of_one_parameter_are_summed():
    table = Embedding([3, 2], is_sparse=True)
    model = DataParallel(table, strategy)
    loss = fluid.layers.reduce_sum(model(to_variable(np.array([1], "int64"))))
    if rank:
        loss = fluid.layers.reduce_sum(table.weight * 5.0)
    loss.backward()
    model.apply_collective_grads()
    assert table.weight.gradient().tolist() == [[5.0] * 2, [6.0] * 2, [5.0] * 2]


@check
def all_begin_with_the_parameters_of_rank_0():
    fluid.default_main_program().random_seed = 100 + rank
    layer = Linear(3, 4)
    norm = fluid.dygraph.BatchNorm(3)
    norm._mean.set_value(np.full(3, 5.0 + rank, "float32"))
    own = layer.weight.numpy()
    model = DataParallel(fluid.dygraph.Sequential(norm, layer), strategy)
    everywhere = distributed.joined().gather([own.tolist(), layer.weight.numpy().tolist()])
    assert everywhere[0][0] != everywhere[1][0]
    assert everywhere[0][0] == everywhere[0][1] == everywhere[1][1]
    assert norm._mean.numpy().tolist() == [5.0] * 3
    distributed.check_same(model)


@check
def statistics_of_batch_norm_are_each_rank_s_own():
    norm = fluid.dygraph.BatchNorm(3)
    model = DataParallel(norm, strategy)
    model(to_variable(np.full((4, 3), float(rank), "float32")))
    everywhere = distributed.joined().gather(norm._mean.numpy().tolist())
    assert everywhere[0] != everywhere[1]
    distributed.check_same(model)


@check
def other_parameters_in_one_rank_are_found_in_both():
    model = DataParallel(Linear(2, 2), strategy)
    if rank:
        model._layers.bias.set_value(np.array([1.0, 1.0], "float32"))
    with pytest.raises(distributed.DistributedError, match="`_layers.bias` of rank 1"):
        distributed.check_same(model)


@check
def another_shape_or_number_of_parameters_in_one_rank_is_refused_in_both():
    for build, said in (
        (lambda: Linear(2, 2 + rank), "rank 1 has `weight`, torch.float32 [2, 3]"),
        (lambda: Linear(2, 2, bias_attr=False if rank else None), "rank 1 has 1 parameters"),
    ):
        with pytest.raises(distributed.DistributedError, match=re.escape(said)):
            DataParallel(build(), strategy)


@check
def a_parameter_that_comes_after_the_wrapping_is_refused():
    model = DataParallel(Linear(2, 2), strategy)
    model._layers.late = Linear(2, 2)
    with pytest.raises(distributed.DistributedError, match="wrap it afterwards"):
        model.apply_collective_grads()


@check
def dropout_differs_between_ranks_unless_it_is_seeded():
    x = to_variable(np.ones((50, 50), "float32"))
    for seed, same in ((0, False), (7, True)):
        fluid.default_main_program().random_seed = seed
        kept = fluid.layers.dropout(x, 0.5).numpy().ravel().tolist()
        everywhere = distributed.joined().gather(kept)
        assert (everywhere[0] == everywhere[1]) is same


@check
def the_state_dictionary_has_the_names_of_the_model():
    inner = Linear(2, 2)
    model = DataParallel(inner, strategy)
    assert list(model.state_dict()) == list(inner.state_dict()) == ["weight", "bias"]
    model.set_dict({name: p.numpy() * 0 for name, p in model.state_dict().items()})
    assert values(inner.weight.numpy()) == [0.0]


@check
def values_come_in_the_order_of_the_ranks():
    group = distributed.joined()
    assert group.gather({"rank": rank}) == [{"rank": 0}, {"rank": 1}]
    assert (group.rank, group.world_size, group.timeout_s) == (rank, 2, 50.0)
    assert distributed.join() is group


with fluid.dygraph.guard(fluid.CPUPlace()):
    strategy = prepare_context()
    for function in CHECKS:
        fluid.default_main_program().random_seed = 0
        function()
        sys.stdout.write(f"{function.__name__}\n")

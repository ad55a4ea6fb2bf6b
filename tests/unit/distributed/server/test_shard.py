"""A server's rounds, without Ray: trainers are tasks of one event loop."""

from __future__ import annotations

import asyncio

import pytest
import torch

from refluid.checkpoint.store import Store
from refluid.distributed.server.buffer import pack, spec_of, unpack
from refluid.distributed.server.message import Push, Unready
from refluid.distributed.server.plan import ServerPlan
from refluid.distributed.server.shard import Shard
from refluid.distributed.server.torch_rule import TorchRule
from refluid.errors import DistributedError, PeerLost
from refluid.state import tree

START = [torch.tensor([1.0, 2.0]), torch.tensor([[3.0]])]
SPECS = [spec_of(f"w{k}", value) for k, value in enumerate(START)]


def make_rule(momentum=0.5):
    params = [torch.nn.Parameter(value.clone()) for value in START]
    return TorchRule(torch.optim.SGD(params, lr=1.0, momentum=momentum), params)


SETTINGS = make_rule().settings()


def make_shard(folder, **options):
    plan = ServerPlan(num_servers=1, **{"num_trainers": 2, **options})
    return Shard(0, plan, Store(folder, "server"))


async def begun(folder, **options):
    shard = make_shard(folder, **options)
    await shard.hello(0, SPECS, pack(START), 0, 0)
    await shard.equip(make_rule())
    return shard


def push(rank, step, *numbers, generation=0, settings=SETTINGS):
    """A push whose gradients are filled with numbers, None for no gradient."""
    present = [number is not None for number in numbers]
    grads = [torch.full_like(v, n) for v, n in zip(START, numbers, strict=True) if n is not None]
    return Push(rank, step, generation, settings, present, pack(grads))


def values(answer):
    return [value.flatten().tolist() for value in unpack(answer.values, SPECS)]


async def turn():
    """Let every task run until it waits."""
    for _ in range(5):
        await asyncio.sleep(0)


async def together(*calls):
    return await asyncio.wait_for(asyncio.gather(*calls), 10)


def run(coroutine):
    return asyncio.run(asyncio.wait_for(coroutine, 20))


# --- sync ---------------------------------------------------------------------------------------


def test_sync_updates_the_mean_when_all_have_pushed(tmp_path):
    async def test():
        shard = await begun(tmp_path)
        early = asyncio.create_task(shard.push(push(1, 1, 1.0, 2.0)))
        await turn()
        assert not early.done()
        assert shard.waiting() == "rank 0"
        late = await shard.push(push(0, 1, 3.0, 2.0))
        assert values(late) == values(await early) == [[-1.0, 0.0], [1.0]]

    run(test())


def test_sync_sums_in_the_order_of_ranks_whoever_comes_first(tmp_path):
    numbers = [1e8, 1.0, -1e8]

    async def test(order, folder):
        shard = await begun(folder, num_trainers=3)
        calls = [shard.push(push(rank, 1, numbers[rank], None)) for rank in order]
        return (await together(*calls))[0].values.tobytes()

    found = {run(test(o, tmp_path / str(o))) for o in ((0, 1, 2), (2, 0, 1), (0, 2, 1))}
    assert len(found) == 1


def test_a_parameter_without_gradient_anywhere_is_left_alone(tmp_path):
    async def test():
        shard = await begun(tmp_path)
        first, _ = await together(
            shard.push(push(0, 1, 2.0, None)), shard.push(push(1, 1, None, None))
        )
        assert values(first) == [[0.0, 1.0], [3.0]]

    run(test())


def test_a_push_that_is_sent_again_is_answered_and_not_applied_again(tmp_path):
    async def test():
        shard = await begun(tmp_path)
        first, _ = await together(
            shard.push(push(0, 1, 2.0, 2.0)), shard.push(push(1, 1, 0.0, 0.0))
        )
        again = await shard.push(push(0, 1, 2.0, 2.0))
        assert values(again) == values(first)
        # nor is it kept for the next round
        late = asyncio.create_task(shard.push(push(1, 2, 0.0, 0.0)))
        await turn()
        assert not late.done()
        late.cancel()

    run(test())


def test_sync_waits_for_a_trainer_that_died_and_goes_on_when_it_is_back(tmp_path):
    async def test():
        shard = await begun(tmp_path)
        waits = asyncio.create_task(shard.push(push(0, 1, 2.0, 2.0)))
        await shard.lost(1)
        await turn()
        assert not waits.done()
        back = await shard.hello(1, SPECS, pack(START), 0, 0)
        assert back.step == 0
        await shard.push(push(1, 1, 0.0, 0.0))
        assert values(await waits) == [[0.0, 1.0], [2.0]]

    run(test())


def test_unequal_numbers_of_batches_are_an_error_and_no_hang(tmp_path):
    async def test():
        shard = await begun(tmp_path)
        await together(shard.push(push(0, 1, 1.0, 1.0)), shard.push(push(1, 1, 1.0, 1.0)))
        waits = asyncio.create_task(shard.push(push(0, 2, 1.0, 1.0)))
        await turn()
        await shard.leave(1)
        with pytest.raises(PeerLost, match="rank 0 is at step 2, but rank 1 .* after step 1"):
            await waits

    run(test())


def test_different_learning_rates_are_an_error_for_all(tmp_path):
    async def test():
        shard = await begun(tmp_path)
        other = [{**SETTINGS[0], "lr": 0.5}]
        calls = [shard.push(push(0, 1, 1.0, 1.0)), shard.push(push(1, 1, 1.0, 1.0, settings=other))]
        found = await asyncio.gather(*calls, return_exceptions=True)
        assert [type(error) for error in found] == [DistributedError, DistributedError]
        assert "rank 1 updates with lr=0.5, but rank 0 with lr=1.0" in str(found[0])

    run(test())


def test_a_trainer_that_was_started_again_updates_with_the_settings_of_the_others(tmp_path):
    async def test():
        shard = await begun(tmp_path)
        await rounds(shard, [1])
        assert (await shard.hello(0, SPECS, pack(START), 0, 0)).step == 1
        anew = push(0, 2, 1.0, None, settings=[{**SETTINGS[0], "lr": 100.0}])
        before = values(await shard.hello(1, SPECS, pack(START), 1, 0))[0][0]
        first, _ = await together(shard.push(anew), shard.push(push(1, 2, 1.0, None)))
        assert before - values(first)[0][0] < 10

    run(test())


def test_a_model_of_other_shapes_is_refused_with_rank_and_parameter(tmp_path):
    async def test():
        shard = await begun(tmp_path)
        other = [SPECS[0], spec_of("w1", torch.zeros(2, 2))]
        with pytest.raises(DistributedError, match=r"rank 1 .*w1 float32 \[1, 1\] is missing"):
            await shard.hello(1, other, pack([START[0], torch.zeros(2, 2)]), 0, 0)

    run(test())


def test_all_begin_with_the_values_of_rank_0(tmp_path):
    async def test():
        shard = make_shard(tmp_path)
        early = asyncio.create_task(shard.hello(1, SPECS, pack([v * 9 for v in START]), 0, 0))
        await turn()
        assert not early.done()
        await shard.hello(0, SPECS, pack(START), 0, 0)
        assert values(await early) == [[1.0, 2.0], [3.0]]

    run(test())


# --- async --------------------------------------------------------------------------------------


def test_async_updates_at_each_push_up_to_the_staleness(tmp_path):
    async def test():
        shard = await begun(tmp_path, mode="async", staleness=2)
        for step in (1, 2):
            await shard.push(push(0, step, 2.0, None))
        third = asyncio.create_task(shard.push(push(0, 3, 2.0, None)))
        await turn()
        assert not third.done()
        assert shard.waiting() == "rank 1"
        await shard.push(push(1, 1, 0.0, None))
        assert (await third).step == 3

    run(test())


def test_async_goes_on_without_a_trainer_that_died(tmp_path):
    async def test():
        shard = await begun(tmp_path, mode="async", staleness=0)
        waits = asyncio.create_task(shard.push(push(0, 1, 2.0, None)))
        await turn()
        assert not waits.done()
        await shard.lost(1)
        await waits
        for step in (2, 3):
            await shard.push(push(0, step, 2.0, None))
        # it is not waited for until it has made up for what it missed
        assert (await shard.hello(1, SPECS, pack(START), 0, 0)).step == 3

    run(test())


def test_async_goes_on_without_a_trainer_that_has_ended(tmp_path):
    async def test():
        shard = await begun(tmp_path, mode="async", staleness=0)
        await shard.leave(1)
        await shard.push(push(0, 1, 2.0, None))
        await shard.push(push(0, 2, 2.0, None))

    run(test())


def test_async_does_not_apply_a_push_that_is_sent_again(tmp_path):
    async def test():
        shard = await begun(tmp_path, mode="async")
        first = await shard.push(push(0, 1, 2.0, 2.0))
        again = await shard.push(push(0, 1, 2.0, 2.0))
        assert values(again) == values(first) == [[0.0, 1.0], [2.0]]

    run(test())


# --- state --------------------------------------------------------------------------------------


async def rounds(shard, steps, generation=0):
    answer = None
    for step in steps:
        calls = [
            shard.push(push(rank, step, step + rank, step * 0.1, generation=generation))
            for rank in (0, 1)
        ]
        answer, _ = await together(*calls)
    return answer


def test_a_server_that_saves_each_step_comes_back_with_the_same_bits(tmp_path):
    async def test():
        whole = await rounds(await begun(tmp_path / "a"), range(1, 7))
        await rounds(await begun(tmp_path / "b", save_every_steps=1), range(1, 4))
        shard = make_shard(tmp_path / "b", save_every_steps=1)
        with pytest.raises(Unready):
            await shard.push(push(0, 4, 1.0, 1.0))
        # the trainer has not seen the answer to its last push
        answer = await shard.hello(1, SPECS, pack(START), 2, 0)
        assert "server 0 was lost and has come back from its checkpoint of step 3" in answer.begun
        assert answer.step == 3
        await shard.equip(make_rule())
        last = await rounds(shard, range(4, 7))
        assert last.values.tobytes() == whole.values.tobytes()

    run(test())


def test_a_server_behind_its_trainers_takes_their_values(tmp_path):
    async def test():
        await rounds(await begun(tmp_path, save_every_steps=2), range(1, 3))
        shard = make_shard(tmp_path)
        newer = [value + 7 for value in START]
        answer = await shard.hello(1, SPECS, pack(newer), 5, 3)
        assert (answer.step, answer.generation) == (5, 3)
        assert values(answer) == [[8.0, 9.0], [10.0]]
        assert tree.unpack(await shard.state())[0]["momentum_buffer"].tolist() != [0.0, 0.0]

    run(test())


def test_a_state_put_back_by_all_is_put_back_once_and_goes_on_with_the_same_bits(tmp_path):
    async def test():
        shard = await begun(tmp_path)
        third = await rounds(shard, range(1, 4))
        state = await shard.state()
        whole = await rounds(shard, range(4, 7))
        back = [await shard.restore(rank, 3, third.values, state) for rank in (0, 1)]
        assert [answer.generation for answer in back] == [1, 1]
        again = await rounds(shard, range(4, 7), generation=1)
        assert again.values.tobytes() == whole.values.tobytes()

    run(test())


def test_a_trainer_that_did_not_go_back_is_told_to_start_again(tmp_path):
    async def test():
        shard = await begun(tmp_path)
        waits = asyncio.create_task(shard.push(push(0, 1, 1.0, 1.0)))
        await turn()
        await shard.restore(1, 0, pack([v + 1 for v in START]), None)
        with pytest.raises(PeerLost, match="rank 0: the servers were put back"):
            await waits

    run(test())


def test_a_trainer_that_goes_back_a_second_time_is_taken_at_its_word(tmp_path):
    async def test():
        shard = await begun(tmp_path)
        state = await shard.state()
        for rank in (0, 1):
            await shard.restore(rank, 0, pack(START), state)
        await rounds(shard, range(1, 3), generation=1)
        answer = await shard.restore(1, 0, pack(START), state)
        assert (answer.step, answer.generation) == (0, 2)
        assert values(answer) == [[1.0, 2.0], [3.0]]

    run(test())


def test_checkpoints_of_another_model_are_refused(tmp_path):
    async def test():
        await rounds(await begun(tmp_path, save_every_steps=1), range(1, 3))
        other = [SPECS[0], spec_of("w1", torch.zeros(2))]
        with pytest.raises(DistributedError, match="of server 0 are of another model"):
            await make_shard(tmp_path).hello(0, other, pack([START[0], torch.zeros(2)]), 0, 0)

    run(test())

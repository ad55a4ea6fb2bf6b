"""Settings of Paddle's compiler, with the values they begin with in Paddle 1.8.5."""

from __future__ import annotations

import pytest

from refluid.paddle.fluid.compiler import BuildStrategy, ExecutionStrategy


def test_settings_begin_with_paddles_values() -> None:
    build, execution = BuildStrategy(), ExecutionStrategy()
    assert (build.enable_inplace, build.num_trainers, build.debug_graphviz_path) == (True, 1, "")
    assert str(build.reduce_strategy) == "ReduceStrategy.AllReduce"
    assert str(build.gradient_scale_strategy) == "GradientScaleStrategy.CoeffNumDevice"
    assert (execution.num_threads, execution.num_iteration_per_drop_scope) == (0, 100)


def test_settings_are_kept_and_not_shared() -> None:
    build, other = BuildStrategy(), BuildStrategy()
    build.reduce_strategy = BuildStrategy.ReduceStrategy.Reduce
    build.enable_inplace = 0
    build.memory_optimize = True
    build.trainers_endpoints.append("a:1")
    assert build.enable_inplace is False
    assert build.reduce_strategy is not other.reduce_strategy
    assert other.trainers_endpoints == []


@pytest.mark.parametrize(
    ("name", "value"),
    [("enable_inplace", "x"), ("num_trainers", 1.5), ("reduce_strategy", 1)],
)
def test_settings_keep_their_type(name: str, value: object) -> None:
    with pytest.raises(TypeError, match=f"`{name}` must be of type"):
        setattr(BuildStrategy(), name, value)


def test_other_settings_are_refused() -> None:
    with pytest.raises(AttributeError, match="ExecutionStrategy has no setting 'threads'"):
        ExecutionStrategy().threads = 3

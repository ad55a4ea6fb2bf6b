"""The tracer of an open guard runs operators by their names."""

from __future__ import annotations

import numpy as np

from refluid.paddle import fluid
from refluid.paddle.fluid import framework
from refluid.paddle.fluid.core_avx.table import blank


def test_tracer_runs_operators():
    assert framework._dygraph_tracer() is None
    with fluid.dygraph.guard(fluid.CPUPlace()):
        tracer = framework._dygraph_tracer()
        assert isinstance(tracer, fluid.dygraph.tracer.Tracer)
        x = fluid.dygraph.to_variable(np.array([1.0, -1.0], "float32"))
        x.stop_gradient = False
        out, other, last = blank(), blank(), blank()
        tracer.trace_op("relu", {"X": [x]}, {"Out": [out]}, {})
        tracer.trace_op("relu", {"X": [x]}, {"Out": [other]}, {}, stop_gradient=True)
        tracer.trace("scale", {"X": [x]}, {"Out": [last]}, {"scale": 2.0}, fluid.CPUPlace(), True)
        assert out.numpy().tolist() == other.numpy().tolist() == [1.0, 0.0]
        assert (out.stop_gradient, other.stop_gradient) == (False, True)
        assert last.numpy().tolist() == [2.0, -2.0]


def test_bias_and_activation_of_layers():
    from refluid.paddle.fluid import dygraph_utils  # the module under test has no public names

    with fluid.dygraph.guard(fluid.CPUPlace()):
        x = fluid.dygraph.to_variable(np.full((2, 2), -1.0, "float32"))
        bias = fluid.dygraph.to_variable(np.array([3.0, 0.0], "float32"))
        biased = dygraph_utils._append_bias_in_dygraph(x, bias)
        assert biased.numpy().tolist() == [[2.0, -1.0]] * 2
        active = dygraph_utils._append_activation_in_dygraph(biased, "relu")
        assert active.numpy().tolist() == [[2.0, 0.0]] * 2
        assert dygraph_utils._append_activation_in_dygraph(x) is x
        assert dygraph_utils._append_bias_in_dygraph(x) is x

"""A sequence labelling program whose Layers call operators by their names trains as on Paddle.

The numbers are those of PaddlePaddle 1.8.5 (CPU) for the same program.
"""

from __future__ import annotations

import numpy as np

from refluid.paddle import fluid


class Crf(fluid.dygraph.Layer):
    def __init__(self, size, param_attr):
        super().__init__()
        self._transition = self.create_parameter(attr=param_attr, shape=[size + 2, size])

    @property
    def weight(self):
        return self._transition

    def forward(self, emission, label, length):
        alpha, emission_exps, transition_exps, likelihood = (
            self._helper.create_variable_for_type_inference(dtype=emission.dtype) for _ in range(4)
        )
        self._helper.append_op(
            type="linear_chain_crf",
            inputs={
                "Emission": [emission],
                "Transition": self._transition,
                "Label": [label],
                "Length": [length],
            },
            outputs={
                "Alpha": [alpha],
                "EmissionExps": [emission_exps],
                "TransitionExps": transition_exps,
                "LogLikelihood": likelihood,
            },
        )
        return likelihood


class Decoding(fluid.dygraph.Layer):
    def __init__(self, transition):
        super().__init__()
        self._transition = transition

    def forward(self, emission, length):
        path = self._helper.create_variable_for_type_inference(dtype="int64")
        self._helper.append_op(
            type="crf_decoding",
            inputs={"Emission": [emission], "Transition": self._transition, "Length": length},
            outputs={"ViterbiPath": [path]},
        )
        return path


class ChunkEval(fluid.dygraph.Layer):
    def forward(self, inference, label, length):
        names = ["Precision", "Recall", "F1-Score"]
        counts = ["NumInferChunks", "NumLabelChunks", "NumCorrectChunks"]
        outs = {n: [self._helper.create_variable_for_type_inference("float32")] for n in names}
        for name in counts:
            outs[name] = [self._helper.create_variable_for_type_inference("int64")]
        self._helper.append_op(
            type="chunk_eval",
            inputs={"Inference": [inference], "Label": [label], "SeqLength": [length]},
            outputs=outs,
            attrs={"num_chunk_types": 2, "chunk_scheme": "IOB", "excluded_chunk_types": []},
        )
        return [outs[n][0] for n in [*names, *counts]]


def run():
    draws = np.random.RandomState(0)
    words = draws.randint(0, 20, (4, 6)).astype("int64")
    tags = (words % 5).astype("int64")
    lengths = np.array([6, 5, 4, 6], "int64")
    first = fluid.initializer.NumpyArrayInitializer
    table = fluid.dygraph.Embedding(
        [20, 8], param_attr=fluid.ParamAttr(initializer=first(draws.randn(20, 8).astype("float32")))
    )
    linear = fluid.dygraph.Linear(
        8, 5, param_attr=fluid.ParamAttr(initializer=first(draws.randn(8, 5).astype("float32")))
    )
    crf = Crf(5, fluid.ParamAttr(initializer=first(draws.randn(7, 5).astype("float32"))))
    decode, measure = Decoding(crf.weight), ChunkEval()
    parameters = table.parameters() + linear.parameters() + crf.parameters()
    adam = fluid.optimizer.Adam(0.1, parameter_list=parameters)
    found = []
    for _ in range(8):
        x, y, n = (fluid.dygraph.to_variable(a) for a in (words, tags, lengths))
        emission = linear(table(x))
        loss = fluid.layers.mean(crf(emission, y, n))
        loss.backward()
        adam.minimize(loss)
        for parameter in parameters:
            parameter.clear_gradient()
        found.append(float(loss.numpy()[0]))
    path = decode(emission, n)
    return found, path.numpy().tolist(), [v.numpy().tolist() for v in measure(path, y, n)]


def test_program_gives_the_losses_the_path_and_the_measures_of_paddle():
    with fluid.dygraph.guard(fluid.CPUPlace()):
        losses, path, measures = run()
    expected = [
        17.319225311279297, 12.038305282592773, 8.393951416015625, 5.583790302276611,
        3.4335074424743652, 1.9575082063674927, 1.0480588674545288, 0.5442558526992798,
    ]  # fmt: skip
    np.testing.assert_allclose(losses, expected, rtol=1e-5)
    assert path == [
        [2, 0, 0, 3, 3, 2],
        [4, 4, 3, 4, 1, 0],
        [1, 1, 2, 4, 0, 0],
        [3, 3, 4, 4, 1, 4],
    ]
    assert measures == [[1.0], [1.0], [1.0], [11], [11], [11]]

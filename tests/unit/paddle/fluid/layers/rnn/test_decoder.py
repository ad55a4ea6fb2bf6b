"""The loop of decoding: the numbers are recorded in test_recorded.py, the rules stand here."""

from __future__ import annotations

import numpy as np
import pytest

from refluid.paddle import fluid
from refluid.paddle.fluid import layers as L
from refluid.paddle.fluid.core_avx import EnforceNotMet


class Counting(L.Decoder):
    """Counts up; sequence k ends when it has counted to `ends[k]`."""

    def initialize(self, inits):
        self.ends = inits
        zeros = L.zeros_like(inits)
        return zeros, {"count": zeros}, L.equal(inits, zeros)

    def step(self, time, inputs, states, extra=0):
        count = states["count"] + 1
        output = count + extra
        return output, {"count": count}, [count][0], L.less_equal(self.ends, count)


@pytest.fixture
def ends(variable):
    return variable([2, 0, 3], "int64")


def test_it_goes_on_until_the_last_sequence_ends(ends):
    outputs, states, lengths = L.dynamic_decode(Counting(), ends, return_length=True)
    assert outputs.numpy().tolist() == [[1, 2, 3]] * 3
    assert states["count"].numpy().tolist() == [3, 3, 3]
    assert lengths.numpy().tolist() == [2, 0, 3]


def test_states_of_ended_sequences_may_stay(ends):
    _, states = L.dynamic_decode(Counting(), ends, impute_finished=True)
    assert states["count"].numpy().tolist() == [2, 0, 3]


def test_the_last_step_is_numbered_max_step_num_as_in_paddle(ends):
    assert L.dynamic_decode(Counting(), ends, max_step_num=0)[0].shape == [3, 1]
    assert L.dynamic_decode(Counting(), ends, max_step_num=1)[0].shape == [3, 2]


def test_other_arguments_are_handed_to_the_steps(ends):
    outputs, _ = L.dynamic_decode(Counting(), ends, output_time_major=True, extra=10)
    assert outputs.numpy().tolist() == [[11] * 3, [12] * 3, [13] * 3]


def test_nothing_to_decode_is_refused(variable):
    with pytest.raises(EnforceNotMet, match="all had ended before the first step"):
        L.dynamic_decode(Counting(), variable([0, 0], "int64"))


def test_what_is_no_decoder_is_refused():
    with pytest.raises(TypeError, match="`decoder` must have a method initialize"):
        L.dynamic_decode(3)


@pytest.mark.parametrize("method", ["initialize", "step", "finalize"])
def test_a_decoder_of_your_own_needs_methods(method):
    count = {"initialize": 1, "step": 3, "finalize": 3}[method]
    with pytest.raises(NotImplementedError, match=f"Decoder.* define {method}"):
        getattr(L.Decoder(), method)(*range(count))


# --- with a cell --------------------------------------------------------------------------------


@pytest.fixture
def parts():
    """A cell, a table of 7 words, a layer to the words, and the first states of 2 sequences."""
    table, project = fluid.dygraph.Embedding([7, 4]), fluid.dygraph.Linear(5, 7)
    states = fluid.dygraph.to_variable(np.random.RandomState(0).rand(2, 5).astype("float32"))
    return L.GRUCell(5), table, project, states


def test_weights_learn_through_the_steps_of_training(parts, variable):
    cell, _, project, states = parts
    inputs, lengths = variable(np.random.RandomState(1).rand(2, 3, 4)), variable([3, 1], "int64")
    decoder = L.BasicDecoder(cell, L.TrainingHelper(inputs, lengths), project)
    (outputs, ids), _, counts = L.dynamic_decode(decoder, states, return_length=True)
    assert outputs.shape == [2, 3, 7]
    np.testing.assert_array_equal(ids.numpy(), outputs.numpy().argmax(2))
    assert counts.numpy().tolist() == [3, 1]
    L.reduce_sum(outputs * outputs).backward()
    for weight in [*cell.gru_unit.parameters(), *project.parameters()]:
        assert np.abs(weight.gradient()).max() > 0


def test_the_next_input_is_the_word_that_was_chosen(parts, variable):
    cell, table, project, states = parts
    start = variable([1, 2], "int64")
    decoder = L.BasicDecoder(cell, L.GreedyEmbeddingHelper(table, start, 0), project)
    (outputs, ids), _ = L.dynamic_decode(decoder, states, max_step_num=3)
    word, state = start, states
    for step in range(ids.shape[1]):
        expected, state = cell(table(word), state)
        np.testing.assert_allclose(outputs.numpy()[:, step], project(expected).numpy(), 1e-6)
        word = ids[:, step]


def test_draws_are_by_the_softmax_at_a_temperature(variable):
    start = variable([0] * 4000, "int64")
    logits = variable(np.tile(np.log([0.1, 0.3, 0.6]), (4000, 1)))
    cold = L.SampleEmbeddingHelper(None, start, 0, softmax_temperature=0.5)
    for helper, chances in (
        (L.SampleEmbeddingHelper(None, start, 0), [0.1, 0.3, 0.6]),
        (cold, np.array([0.01, 0.09, 0.36]) / 0.46),
    ):
        drawn = helper.sample(None, logits, None)
        assert drawn.stop_gradient
        assert drawn.numpy().dtype == "int64"
        # five standard deviations
        np.testing.assert_allclose(np.bincount(drawn.numpy(), minlength=3) / 4000, chances, 0, 0.04)


def test_seeded_draws_are_those_of_paddle(variable):
    logits = variable(np.random.RandomState(1).rand(2, 10))
    helper = L.SampleEmbeddingHelper(None, variable([1, 2], "int64"), 0, 0.5, 3)
    assert helper.sample(None, logits, None).numpy().tolist() == [0, 2]
    assert helper.sample(None, logits, None).numpy().tolist() == [0, 2]


def test_inputs_of_training_need_a_time(variable):
    with pytest.raises(EnforceNotMet, match=r"must be \[B, T, ...\]"):
        L.TrainingHelper(variable([1.0, 2.0]), variable([1, 2], "int64"))


def test_a_helper_of_your_own_may_leave_methods_out():
    helper = L.DecodeHelper()
    assert helper.initialize() is None
    assert helper.sample(1, 2, 3) is None
    assert helper.next_inputs(1, 2, 3, 4) is None


def test_beams_are_sorted_by_their_probability(parts):
    cell, table, project, states = parts
    decoder = L.BeamSearchDecoder(cell, 1, 0, 3, table, project)
    ids, ends = L.dynamic_decode(decoder, states, max_step_num=4)
    assert ids.shape[0] == 2
    assert ids.shape[2] == 3
    scores = ends.log_probs.numpy()
    assert (np.diff(scores, axis=1) <= 0).all()
    assert (scores > -1e8).all()


def test_one_beam_is_the_greedy_choice(parts, variable):
    cell, table, project, states = parts
    beam = L.BeamSearchDecoder(cell, 1, 0, 1, table, project)
    helper = L.GreedyEmbeddingHelper(table, variable([1, 1], "int64"), 0)
    ids, _ = L.dynamic_decode(beam, states, max_step_num=2)
    (_, greedy), _ = L.dynamic_decode(L.BasicDecoder(cell, helper, project), states, max_step_num=2)
    # a beam that has ended stays at its end; the greedy choice goes on until all have
    ended = np.cumsum(greedy.numpy() == 0, axis=1) > 0
    np.testing.assert_array_equal(ids.numpy()[:, :, 0], np.where(ended, 0, greedy.numpy()))


def test_a_beam_search_finds_the_best_of_all_sequences(variable):
    """With as many beams as there are sequences of two words, nothing can be missed."""
    steps = np.log(np.array([[0.2, 0.5, 0.3], [0.6, 0.1, 0.3]], "float32"))

    class Scripted(L.RNNCell):
        def call(self, inputs, states):
            wanted = L.gather(variable(steps, grad=False), L.cast(states, "int64"))
            return L.reshape(wanted, [-1, 3]), states + 1

    decoder = L.BeamSearchDecoder(Scripted(), 1, 0, 3)
    ids, ends = L.dynamic_decode(decoder, variable([[0.0]]), max_step_num=1)
    # ended at once 0.2; 1 and 0: 0.5 * 0.6; 2 and 0: 0.3 * 0.6
    np.testing.assert_allclose(np.exp(ends.log_probs.numpy()), [[0.3, 0.2, 0.18]], 1e-5)
    assert ids.numpy()[0].T.tolist() == [[1, 0], [0, 0], [2, 0]]
    assert ends.lengths.numpy().tolist() == [[2, 1, 2]]


def test_an_end_token_outside_of_the_vocabulary_is_refused(parts):
    cell, table, project, states = parts
    with pytest.raises(EnforceNotMet, match="`end_token` 7"):
        L.dynamic_decode(L.BeamSearchDecoder(cell, 1, 7, 2, table, project), states)


def test_the_probability_of_a_beam_can_be_learned(parts):
    cell, table, project, states = parts
    decoder = L.BeamSearchDecoder(cell, 1, 0, 2, table, project)
    _, ends = L.dynamic_decode(decoder, states, max_step_num=3)
    L.reduce_sum(ends.log_probs[:, 0]).backward()
    for weight in [*cell.gru_unit.parameters(), *project.parameters(), table.weight]:
        assert np.isfinite(weight.gradient()).all()
        assert np.abs(weight.gradient()).max() > 0

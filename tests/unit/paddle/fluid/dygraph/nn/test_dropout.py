"""Which seed and which mode the dropout layer follows."""

from __future__ import annotations

import numpy as np

from refluid.paddle.fluid.dygraph.base import no_grad, to_variable
from refluid.paddle.fluid.dygraph.nn import Dropout
from refluid.paddle.fluid.framework import default_main_program

ONES = np.ones((1, 40), "float32")


def dropped(layer):
    return layer(to_variable(ONES)).numpy().tolist()


def test_the_own_seed_comes_before_the_programs():
    default_main_program().random_seed = 5
    assert dropped(Dropout(0.4, 9)) == dropped(Dropout(0.4, 9)) != dropped(Dropout(0.4))
    assert dropped(Dropout(0.4)) == dropped(Dropout(0.4, 5))


def test_the_programs_seed_stays_once_it_was_seen():
    layer = Dropout(0.4)
    default_main_program().random_seed = 5
    first = dropped(layer)
    default_main_program().random_seed = 6
    assert dropped(layer) == first
    assert layer._seed == 5


def test_without_any_seed_each_call_drops_others():
    layer = Dropout(0.4)
    assert dropped(layer) != dropped(layer)
    assert layer._seed is None


def test_the_layer_follows_its_own_mode_not_recording():
    layer = Dropout(0.5, is_test=True)
    with no_grad():
        assert set(dropped(layer)[0]) == {0.0, 1.0}
    layer.training = False
    assert set(dropped(layer)[0]) == {0.5}

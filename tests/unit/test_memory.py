from __future__ import annotations

import gc
import subprocess
import sys
import weakref

import pytest

from refluid.memory import uncollected


class Cycle:
    def __init__(self) -> None:
        self.itself = self


@pytest.fixture(autouse=True)
def _as_before():
    frozen = gc.get_freeze_count()
    yield
    if frozen == 0:
        gc.unfreeze()
    assert gc.isenabled()


def test_what_is_made_within_is_left_alone_and_garbage_from_before_is_not_kept():
    before = weakref.ref(Cycle())
    with uncollected():
        assert before() is None
        assert not gc.isenabled()
        within = weakref.ref(Cycle())
    gc.collect()
    assert within() is not None
    after = weakref.ref(Cycle())
    gc.collect()
    assert after() is None


def test_the_collector_works_again_after_an_error():
    with pytest.raises(ImportError), uncollected():
        raise ImportError
    assert gc.isenabled()


def test_a_collector_that_is_off_stays_off():
    gc.disable()
    try:
        with uncollected():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_paddle_is_imported_so_and_a_second_import_freezes_nothing_more():
    program = (
        "import gc, paddle; count = gc.get_freeze_count(); assert count > 100_000, count; "
        "assert gc.isenabled(); import paddle.dataset.cifar; assert gc.get_freeze_count() <= count"
    )
    subprocess.run([sys.executable, "-m", "refluid", "-c", program], check=True)

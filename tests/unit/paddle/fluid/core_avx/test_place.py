"""Places, and the remedy for a program that asks for a GPU."""

from __future__ import annotations

import pytest
import torch

from refluid import env
from refluid.errors import DeviceError
from refluid.paddle.fluid.core_avx import CPUPlace, CUDAPinnedPlace, CUDAPlace
from refluid.paddle.fluid.core_avx.place import default_place, place_of


@pytest.fixture(autouse=True)
def _no_choice(monkeypatch):
    monkeypatch.delenv(env.DEVICE, raising=False)


def test_places_are_named_and_compared():
    assert str(CPUPlace()) == "CPUPlace"
    assert CPUPlace() == CPUPlace()
    assert CPUPlace() != CUDAPinnedPlace()
    assert place_of(torch.ones(1)) == CPUPlace()


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_a_missing_gpu_names_the_remedy():
    with pytest.raises(DeviceError, match=r"CUDAPlace\(1\).*no GPU.*refluid --device cpu SCRIPT"):
        CUDAPlace(1)
    assert default_place() == CPUPlace()


@pytest.mark.parametrize("device_id", ["0", 1.0, None])
def test_a_gpu_is_an_int(device_id):
    with pytest.raises(TypeError, match="`device_id` must be an int"):
        CUDAPlace(device_id)


def test_device_cpu_makes_every_place_the_cpu(monkeypatch):
    monkeypatch.setenv(env.DEVICE, "cpu")
    place = CUDAPlace(3)
    assert str(place) == "CUDAPlace(3)"
    assert place.device == torch.device("cpu")
    assert default_place() == CPUPlace()


def test_an_unknown_device_is_refused(monkeypatch):
    monkeypatch.setenv(env.DEVICE, "tpu")
    with pytest.raises(DeviceError, match="REFLUID_DEVICE must be one of cpu, cuda, but is 'tpu'"):
        CPUPlace()


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_program_trains_on_the_gpu():
    from refluid.paddle import fluid

    with fluid.dygraph.guard(CUDAPlace(0)):
        layer = fluid.dygraph.Linear(2, 1)
        x = fluid.dygraph.to_variable(torch.ones(3, 2).numpy())
        loss = fluid.layers.mean(layer(x))
        loss.backward()
        assert place_of(loss) == CUDAPlace(0)
        assert layer.weight.gradient().tolist() == [[1.0], [1.0]]

"""What `LogWriter` writes is what VisualDL reads, and what it refuses it names."""

from __future__ import annotations

import base64
import inspect
import io
import json
import math
import os
import subprocess
import sys
import wave
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from refluid.errors import RefluidWarning, UnsupportedFluidAPI
from refluid.visualdl import LogWriter


@pytest.fixture
def writer(tmp_path: Path):
    with LogWriter(tmp_path / "log") as writer:
        yield writer


def test_methods_and_arguments_are_visualdls(tmp_path: Path) -> None:
    if find_spec("visualdl") is None:
        pytest.skip("VisualDL is not installed: our methods are not compared with its own.")
    program = """
import inspect, json
from visualdl import LogWriter
members = inspect.getmembers(LogWriter, inspect.isfunction)
print(json.dumps({
    name: [(p.name, repr(p.default)) for p in inspect.signature(member).parameters.values()]
    for name, member in members if not name.startswith("_") or name == "__init__"
}))
"""
    theirs = json.loads(
        subprocess.run(
            [sys.executable, "-W", "ignore", "-c", program],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "HOME": str(tmp_path)},
        ).stdout
    )
    ours = {
        name: [
            [each.name, repr(each.default)]
            for each in inspect.signature(member).parameters.values()
        ]
        for name, member in inspect.getmembers(LogWriter, inspect.isfunction)
    }
    assert len(theirs) > 15
    assert {name: ours.get(name) for name in theirs} == theirs


@pytest.mark.parametrize(
    "value",
    [
        0.25,
        np.float32(0.25),
        np.array([0.25], "float32"),
        np.array(0.25),
        np.array([[0.25]]),
        torch.tensor([0.25]),
        torch.tensor(0.25, dtype=torch.bfloat16),
        torch.tensor([0.25], requires_grad=True) * 1,
        "0.25",
    ],
    ids=repr,
)
def test_value_may_be_anything_that_holds_one_number(writer, scalars, value) -> None:
    writer.add_scalar("a", value, 3)
    writer.add_scalar(tag="a", step=np.array([4]), value=1)
    assert scalars(writer.file_name, "a") == [(3, 0.25), (4, 1.0)]


def test_variable_of_fluid_is_a_value(tmp_path: Path, scalars) -> None:
    program = """
import numpy as np
import paddle.fluid as fluid
from visualdl import LogWriter
with fluid.dygraph.guard(), LogWriter("log") as writer:
    writer.add_scalar("a", fluid.dygraph.to_variable(np.array([0.5], "float32")), 1)
    writer.add_histogram("h", fluid.dygraph.to_variable(np.ones(4, "float32")), 1)
    print(writer.file_name)
"""
    done = subprocess.run(
        [sys.executable, "-m", "refluid", "-c", program],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert scalars(tmp_path / done.stdout.strip(), "a") == [(1, 0.5)]


def test_numbers_that_are_not_finite_are_kept(writer, scalars) -> None:
    for step, value in enumerate((math.nan, math.inf, -math.inf, 1e300)):
        writer.add_scalar("a", value, step)
    found = scalars(writer.file_name, "a")
    assert found == [(0, "NaN"), (1, "Infinity"), (2, "-Infinity"), (3, "Infinity")]


def test_time_is_in_milliseconds(writer, read) -> None:
    writer.add_scalar("a", 1, 1, 1_600_000_000_123)
    writer.add_scalar("a", 1, 2, walltime=1.6e12)
    found = read(writer.file_name)["scalar"]["a"]
    assert [each["timestamp"] for each in found] == ["1600000000123", "1600000000000"]


def test_every_kind_is_read_back(writer, read) -> None:
    writer.add_scalars("m", {"sin": 1, "cos": torch.tensor([0.5])}, 2)
    writer.add_text("t", "<b>\u00e9\u6d4b</b>", 1)
    writer.add_histogram("h", torch.tensor([0.0, 1.0, 1.0, math.nan]), 1, buckets=2)
    writer.add_hparams({"lr": 0.1, "size": 4, "on": True, "o": "sgd", "n": None, "l": [1]}, ["a"])
    writer.add_embeddings("e", [[1, 2], [3, 4]], [["x", "y"], [7, 8]])
    writer.add_embeddings("old", labels=["x", "y"], hot_vectors=np.eye(2), labels_meta=["name"])
    found = read(writer.file_name)
    assert [each["tag_value"] for each in found["scalars"]["m"]] == [
        {"tag": "sin", "value": 1.0},
        {"tag": "cos", "value": 0.5},
    ]
    assert found["text"]["t"][0]["text"] == {"encoded_text_string": "<b>\u00e9\u6d4b</b>"}
    histogram = found["histogram"]["h"][0]["histogram"]
    assert histogram == {"hist": [1.0, 2.0], "bin_edges": [0.0, 0.5, 1.0]}
    hparam = found["hyper_parameters"]["hparam"][0]["hparam"]
    assert hparam["hparamInfos"] == [
        {"name": "lr", "float_value": 0.1},
        {"name": "size", "int_value": "4"},
        {"name": "on", "int_value": "1"},
        {"name": "o", "string_value": "sgd"},
        {"name": "l", "string_value": "[1]"},
    ]
    assert hparam["metricInfos"] == [{"name": "a", "float_value": 0.0}]
    points = found["embeddings"]["e"][0]["embeddings"]
    assert points["label_meta"] == ["label_0", "label_1"]
    assert points["embeddings"] == [
        {"label": ["x", "7"], "vectors": [1.0, 2.0]},
        {"label": ["y", "8"], "vectors": [3.0, 4.0]},
    ]
    assert found["embeddings"]["old"][0]["embeddings"]["label_meta"] == ["name"]


def test_pictures_are_png_files(writer, read) -> None:
    image = pytest.importorskip("PIL.Image", reason="Pillow is not installed")
    writer.add_image("i", np.full((4, 6, 3), 200, np.uint8), 1)
    writer.add_image("i", torch.full((1, 4, 6), 0.5), 2, dataformats="CHW")
    writer.add_image_matrix("m", np.full((3, 4, 6), 0.5), 1, dataformats="HW")
    writer.add_image_matrix("m", [np.full((4, 6), 9), np.full((2, 2), 9)], 2, 1, 2, None, "HW")
    found = read(writer.file_name)["image"]
    pictures = {}
    for tag, records in found.items():
        for each in records:
            data = base64.b64decode(each["image"]["encoded_image_string"])
            pictures[tag, each["id"]] = image.open(io.BytesIO(data))
    assert np.unique(pictures["i", "1"]).tolist() == [200]
    assert np.unique(pictures["i", "2"]).tolist() == [127]
    sizes = {key: each.size for key, each in pictures.items()}
    assert sizes == {
        ("i", "1"): (6, 4),
        ("i", "2"): (6, 4),
        ("m", "1"): (12, 8),
        ("m", "2"): (24, 8),
    }


def test_figure_becomes_a_picture_and_is_closed(writer, read) -> None:
    pyplot = pytest.importorskip("matplotlib.pyplot", reason="Matplotlib is not installed")
    figure = pyplot.figure(figsize=(2, 1), dpi=50)
    writer.add_figure("f", figure, 1)
    assert not pyplot.fignum_exists(figure.number)
    (record,) = read(writer.file_name)["image"]["f"]
    header = base64.b64decode(record["image"]["encoded_image_string"])[16:24]
    assert header == (100).to_bytes(4, "big") + (50).to_bytes(4, "big")
    with pytest.raises(TypeError, match="`figure`"):
        writer.add_figure("f", "no figure", 1)


def test_sound_is_a_wav_file(writer, read) -> None:
    writer.add_audio("s", [0, 0.5, -1], 1, 4000)
    with pytest.warns(RefluidWarning, match="`audio_array`"):
        writer.add_audio("s", torch.tensor([[3.0, 0.0]]), 2)
    first, second = (each["audio"] for each in read(writer.file_name)["audio"]["s"])
    assert (first["sample_rate"], first["length_frames"]) == (4000.0, "3")
    for each, samples in ((first, [0, 16383, -32767]), (second, [32767, 0])):
        with wave.open(io.BytesIO(base64.b64decode(each["encoded_audio_string"]))) as file:
            assert np.frombuffer(file.readframes(9), "<i2").tolist() == samples


def test_curves_count_what_each_threshold_finds(writer, read) -> None:
    drawn = np.random.default_rng(0)
    labels, predictions = drawn.integers(0, 2, 200), drawn.random(200)
    writer.add_pr_curve("p", labels, torch.tensor(predictions), 1, num_thresholds=5)
    writer.add_roc_curve("r", labels.tolist(), predictions, 1, num_thresholds=5, weights=2.0)
    found = read(writer.file_name)
    pr, roc = found["pr_curve"]["p"][0]["pr_curve"], found["roc_curve"]["r"][0]["roc_curve"]
    for k in range(5):
        chosen = predictions >= k / 4
        hits, misses = (labels[chosen] == 1).sum(), (labels[chosen] == 0).sum()
        assert (int(pr["TP"][k]), int(pr["FP"][k])) == (hits, misses)
        assert (int(roc["TP"][k]), int(roc["FP"][k])) == (2 * hits, 2 * misses)
        assert int(pr["FN"][k]) == (labels == 1).sum() - hits
        assert int(pr["TN"][k]) == (labels == 0).sum() - misses
        assert pr["recall"][k] == roc["tpr"][k] == hits / (labels == 1).sum()
        assert roc["fpr"][k] == misses / (labels == 0).sum()
        assert pr["precision"][k] == (hits / (hits + misses) if k < 4 else 0)


def test_display_name_is_that_of_the_last_writer_who_gave_one(tmp_path: Path, read) -> None:
    for name in ("first", "second", ""):
        with LogWriter(str(tmp_path), display_name=name) as writer:
            pass
    (record,) = read(writer.file_name)["meta_data"]["meta_data_tag"]
    assert record["meta_data"] == {"display_name": "second"}


def test_closed_writer_goes_on_in_its_file(tmp_path: Path, scalars) -> None:
    writer = LogWriter(str(tmp_path))
    writer.add_scalar("a", 1, 5)
    writer.close()
    writer.close()
    writer.add_scalar("a", 2, 5)
    writer.flush()
    assert scalars(writer.file_name, "a") == [(5, 1.0), (5, 2.0)]
    writer.close()
    assert os.listdir(tmp_path) == [os.path.basename(writer.file_name)]


def test_default_folder_has_time_and_comment(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    with LogWriter(comment="mine") as writer:
        assert writer.logdir.startswith("runs" + os.sep)
        assert writer.logdir.endswith(".mine")
        assert os.path.dirname(writer.file_name) == writer.logdir


def test_file_name_is_taken(tmp_path: Path, scalars) -> None:
    for step in (0, 1):
        with LogWriter(str(tmp_path), file_name="vdlrecords.mine.log") as writer:
            writer.add_scalar("a", step, step)
    assert scalars(tmp_path / "vdlrecords.mine.log", "a") == [(0, 0.0), (1, 1.0)]


def test_nothing_is_written_without_write_to_disk(tmp_path: Path) -> None:
    with LogWriter(str(tmp_path / "log"), write_to_disk=False) as writer:
        writer.add_scalar("a", 1, 1)
        writer.flush()
        assert writer.file_name == ""
    assert not (tmp_path / "log").exists()


@pytest.mark.parametrize("tag", ["", "50%", 3, None])
def test_wrong_tag_is_named(writer, tag: Any) -> None:
    with pytest.raises((TypeError, ValueError), match="`tag` must"):
        writer.add_scalar(tag, 1, 1)


@pytest.mark.parametrize(
    ("method", "arguments", "words"),
    [
        ("add_scalar", ("a", [1.0], 1), "`value` must be one number"),
        ("add_scalar", ("a", np.zeros(2), 1), "`value` .* of shape [2]"),
        ("add_scalar", ("a", torch.zeros(2), 1), "`value` .* of shape [2]"),
        ("add_scalar", ("a", None, 1), "`value`"),
        ("add_scalar", ("a", 1, 1.5), "`step`"),
        ("add_scalar", ("a", 1, None, "now"), "`walltime`"),
        ("add_scalar", ("a", 1, 2**63), "`step` must fit"),
        ("add_scalar", ("a", 1, 1, math.nan), "`walltime`"),
        ("add_scalars", ("a", [1], 1), "`tag_scalar_dict`"),
        ("add_scalars", ("a", {"x": None}, 1), "`x`"),
        ("add_text", ("a", 3, 1), "`text_string`"),
        ("add_image", ("a", "picture", 1), "`img`"),
        ("add_image", ("a", [[1], [1, 2]], 1), "`img`"),
        ("add_image_matrix", ("a", [], 1), "`imgs`"),
        ("add_histogram", ("a", [1], 1, None, 0), "`buckets`"),
        ("add_histogram", ("a", ["x"], 1), "`values`"),
        ("add_embeddings", ("a",), "`mat`"),
        ("add_embeddings", ("a", [[1, 2]], ["x", "y"]), "`metadata`"),
        ("add_embeddings", ("a", [[1, 2]], "x"), "`metadata`"),
        ("add_embeddings", ("a", [[1, 2]], ["x"], ["p", "q"]), "`metadata_header`"),
        ("add_audio", ("a", [], 1), "`audio_array`"),
        ("add_audio", ("a", [1], 1, 0), "`sample_rate`"),
        ("add_hparams", ([], []), "`hparams_dict`"),
        ("add_hparams", ({}, "a"), "`metrics_list`"),
        ("add_pr_curve", ("a", [0, 2], [0, 1], 1), "`labels`"),
        ("add_pr_curve", ("a", [0, 1], [0, 1.5], 1), "`predictions`"),
        ("add_roc_curve", ("a", [0, 1], [0], 1), "`predictions`"),
        ("add_roc_curve", ("a", [0, 1], [0, 1], 1, 1), "`num_thresholds`"),
        ("add_roc_curve", ("a", [0, 1], [0, 1], 1, 9, [1, 2, 3]), "`weights`"),
    ],
)
def test_wrong_argument_is_named_and_nothing_is_written(writer, method, arguments, words) -> None:
    before = Path(writer.file_name).read_bytes()
    with pytest.raises((TypeError, ValueError), match=words.replace("[2]", r"\[2\]")):
        getattr(writer, method)(*arguments)
    assert Path(writer.file_name).read_bytes() == before


def test_graph_is_refused_in_words(writer) -> None:
    with pytest.raises(UnsupportedFluidAPI, match="refluid.inspect"):
        writer.add_graph(None, [])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"logdir": "hdfs://host/log"}, "`logdir`"),
        ({"logdir": 3}, "`logdir`"),
        ({"logdir": __file__}, "`logdir` .* is a file"),
        ({"filename_suffix": "a/b"}, "`filename_suffix`"),
        ({"file_name": "../vdlrecords.log"}, "`file_name`"),
    ],
)
def test_wrong_place_is_named(tmp_path: Path, arguments: dict[str, Any], words: str) -> None:
    with pytest.raises((TypeError, ValueError), match=words):
        LogWriter(**{"logdir": str(tmp_path), **arguments})


def test_arguments_of_other_versions_are_let_pass(tmp_path: Path) -> None:
    LogWriter(str(tmp_path), sync_cycle=10).close()
    with pytest.warns(RefluidWarning, match="no argument colour"):
        LogWriter(str(tmp_path), colour="red").close()
    with pytest.warns(RefluidWarning, match="`file_name`"):
        LogWriter(str(tmp_path), file_name="mine.log").close()

"""The programs of the two source documents, put together from their own text, unmodified.

The documents are not part of this project; they are looked for in `shared/seeds` beside the
checkout. Code blocks are taken as they stand and joined in the order in which the text presents
them; what a section says is as before ("the code stays that of the section before") comes first.
"""

from __future__ import annotations

import re
from pathlib import Path

SHARED = Path(__file__).resolve().parents[3] / "shared"
SEEDS = SHARED / "seeds"
TUNING = SEEDS / "000_041381ad01382107.txt"  # resources, tuning, plotting, resuming
RESUMING = SEEDS / "001_2578a26142f858de.txt"  # saving and resuming

_BLOCK = re.compile(r"^ ?```[^\n]*\n(.*?)^ ?``` *$", re.DOTALL | re.MULTILINE)

# the text says "fluid.dygraph.guard(place)" and leaves the choice of place to the reader
_PLACE = "place = fluid.CPUPlace()\n"

# the text shows a forward() with two switches and leaves calling it to the reader
_LOOK = """
with fluid.dygraph.guard(place):
    model = MNIST()
    image_data, label_data = next(train_loader())
    image = fluid.dygraph.to_variable(image_data)
    label = fluid.dygraph.to_variable(label_data)
    model(image, label, check_shape=True, check_content=True)
"""


def block(document: Path, *contents: str) -> str:
    """Return the only code block of a document that contains all the given texts."""
    found = [
        code
        for code in _BLOCK.findall(document.read_text(encoding="utf-8"))
        if all(text in code for text in contents)
    ]
    assert len(found) == 1, f"{len(found)} blocks of {document.name} contain {contents}"
    return found[0]


def _setting() -> str:
    """Imports and reader, which the first document prints last and presumes from the start."""
    return block(TUNING, "def load_data") + _PLACE


def training_with_accuracy() -> str:
    """Train five epochs with Adam and a decaying rate, printing accuracy, saving each epoch."""
    loop = block(TUNING, "PolynomialDecay", "fluid.save_dygraph(optimizer")
    return _setting() + _model() + loop


def looking_into_layers() -> str:
    """Print the shapes and contents of every layer."""
    return _setting() + _model() + block(TUNING, "check_content=False") + _LOOK


def plotting() -> str:
    """Train ten epochs and collect losses for Matplotlib."""
    return _setting() + _model() + block(TUNING, "import matplotlib.pyplot")


def logging_for_visualdl() -> str:
    """Train ten epochs and write points for VisualDL: the section's first and second step."""
    writer = block(TUNING, "from visualdl import LogWriter")
    return _setting() + _model() + writer + block(TUNING, "log_writer.add_scalar")


def regularization() -> str:
    """The same loop with the optimizer line of the section on regularization."""
    line = block(TUNING, "L2Decay(regularization_coeff=0.1)")
    program, count = re.subn(r"(?m)^    optimizer = .*\n", lambda _: line, plotting())
    assert count == 1
    return program


def resumable_training() -> str:
    """The second document's training: no shuffle, five epochs, a checkpoint after each."""
    return block(RESUMING, "def load_data") + block(RESUMING, "fluid.save_dygraph(optimizer")


def resumed_training() -> str:
    """The second document's resumption from the checkpoint after epoch 0."""
    return block(RESUMING, "def load_data") + block(RESUMING, 'params_path = "./checkpoint')


def _model() -> str:
    """The model of the section on accuracy."""
    models = [
        code
        for code in _BLOCK.findall(TUNING.read_text(encoding="utf-8"))
        if code.startswith("# 定义模型结构")
    ]
    assert len(models) == 1
    return models[0]

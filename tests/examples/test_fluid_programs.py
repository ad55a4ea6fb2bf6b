"""Programs for Paddle 1.8 begin with the losses that Paddle 1.8.5 prints for them, and learn."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow
EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1"}

# what PaddlePaddle 1.8.5 on the CPU printed behind "first losses:"
PADDLE = {
    "classifier": "2.363219 2.492614 2.327181 2.398952 2.252632 2.283483",
    "language_model": "2.708621 2.691139 2.652043 2.587704 2.650857 2.515228",
    "gan": "1.371023 1.314484 1.209913 1.247404 1.200649 1.252588 "
    "0.732688 0.817168 0.905935 0.964554 1.022494 1.045460",
    "transformer": "2.956916 2.826728 2.932734 2.857323 2.882881 2.783218",
}


def numbers(text):
    return [float(number) for number in re.findall(r"\d+\.\d+", text)]


def trained(name):
    """Run an example, compare its first losses with Paddle's, and return its other lines."""
    done = subprocess.run(
        [sys.executable, "-m", "refluid", str(EXAMPLES / f"fluid_{name}.py")],
        env=ENVIRONMENT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    first, *lines = done.stdout.splitlines()
    assert numbers(first) == pytest.approx(numbers(PADDLE[name]), rel=1e-4)
    assert done.stderr == ""
    return lines


def test_the_classifier_reads_digits_it_has_not_seen():
    *_, validation_accuracy = numbers(trained("classifier")[-1])
    assert validation_accuracy > 0.8


def test_the_language_model_comes_near_the_entropy_of_its_grammar():
    *_, (perplexity, on_new_text) = map(numbers, trained("language_model"))
    # 2.106 is what the grammar leaves open
    assert 2.0 < perplexity < 2.4
    assert 2.0 < on_new_text < 2.4


def test_the_generator_draws_the_whole_circle():
    radius, eighths = map(numbers, trained("gan")[-2:])
    mean, deviation = radius
    assert 0.8 < mean < 1.2
    assert deviation < 0.25
    assert min(eighths) > 0.05


def test_the_transformer_writes_unseen_sequences_backwards():
    (share,) = numbers(trained("transformer")[-1])
    assert share > 0.8

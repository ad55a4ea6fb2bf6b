"""Validating leaves no trace in the training, feeds the best checkpoint, and can end a loop."""

from __future__ import annotations

import itertools
import random

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

import refluid
from refluid.errors import DataError
from refluid.loop.patience import Patience
from refluid.observe.journal.reader import JournalReader
from refluid.observe.record import Confusion, Histogram, Table, Text
from refluid.paddle import fluid

SAMPLES, SIZE, CLASSES = 40, 8, 3


class BrokenOff(Exception):
    pass


def samples(seed):
    generator = torch.Generator().manual_seed(seed)
    x = torch.rand(SAMPLES, 6, generator=generator)
    return x, (3 * x[:, 0]).long()


def drawing_reader():
    x, y = samples(8)
    for k in range(0, SAMPLES, SIZE):
        noise = random.random() + np.random.rand() + float(torch.rand(()))
        yield x[k : k + SIZE] + noise, y[k : k + SIZE]


class Training:
    """A network with everything in it that validating could disturb."""

    def __init__(self, folder, **options):
        torch.manual_seed(1)
        random.seed(1)
        np.random.seed(1)
        self.model = nn.Sequential(
            nn.Linear(6, 8), nn.BatchNorm1d(8), nn.Dropout(0.3), nn.Linear(8, CLASSES)
        )
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=0.01)
        self.batches = refluid.Batches(samples(7), SIZE, shuffle=True, seed=3)
        self.run = refluid.Run(folder, **options)

    def score(self, batch):
        x, y = batch
        judged = refluid.Classification(CLASSES)
        return judged.add(self.model(x), y)

    def learn(self, epochs, at_step):
        with self.run as run:
            run.track(model=self.model, optimizer=self.optimizer)
            for step in run.steps(self.batches, epochs=epochs):
                x, y = step.batch
                loss = nn.functional.cross_entropy(self.model(x), y)
                self.optimizer.zero_grad()
                loss.backward()
                self.optimizer.step()
                run.log(loss=loss, draw=random.random() + np.random.rand() + float(torch.rand(())))
                at_step(step)


def bits(path, name="loss"):
    with JournalReader(path / "run.sqlite") as journal:
        steps, values = journal.curve(name)
    return list(zip(steps.tolist(), [value.hex() for value in values.tolist()], strict=True))


def weights(training):
    return {name: value.numpy().tobytes() for name, value in training.model.state_dict().items()}


def test_validating_more_often_changes_no_bit_of_the_training(tmp_path):
    kinds = [
        None,
        lambda training: training.batches,
        lambda _: refluid.Batches(
            samples(8), SIZE, transform=lambda s: [s[0] + random.random(), s[1]]
        ),
        lambda _: DataLoader(TensorDataset(*samples(8)), batch_size=SIZE, shuffle=True),
        lambda _: drawing_reader,
    ]
    found = []
    for number, kind in enumerate(kinds):
        training = Training(tmp_path / f"{number}")

        def validate(step, training=training, kind=kind):
            if kind is not None:
                training.run.validate(kind(training), training.score)
                assert training.model.training
                assert training.model[2].training

        training.learn(3, validate)
        found.append(
            (weights(training), bits(training.run.directory), bits(training.run.directory, "draw"))
        )
    assert len(found[0][1]) == 15
    assert all(each == found[0] for each in found[1:])


def learn_fluid(folder, validates):
    """Train a fluid network with everything in it that validating could disturb."""
    x, y = (part.numpy() for part in samples(7))
    with fluid.dygraph.guard():
        fluid.default_main_program().random_seed = 5
        torch.manual_seed(1)
        model = fluid.dygraph.Sequential(
            fluid.dygraph.Linear(6, 8, act="relu"),
            fluid.dygraph.BatchNorm(8),
            fluid.dygraph.Dropout(0.3),
            fluid.dygraph.Linear(8, CLASSES, act="softmax"),
        )
        optimizer = fluid.optimizer.Adam(0.01, parameter_list=model.parameters())

        def score(batch):
            probabilities = model(fluid.dygraph.to_variable(batch[0].numpy()))
            return refluid.Classification(CLASSES, probabilities=True).add(probabilities, batch[1])

        with refluid.Run(folder) as run:
            run.track(model=model, optimizer=optimizer)
            for step in run.steps(refluid.Batches((x, y[:, None]), SIZE), epochs=3):
                images, labels = (fluid.dygraph.to_variable(part.numpy()) for part in step.batch)
                loss = fluid.layers.mean(fluid.layers.cross_entropy(model(images), labels))
                loss.backward()
                optimizer.minimize(loss)
                model.clear_gradients()
                run.log(loss=loss)
                if validates:
                    run.validate(samples_as_batches(), score)
        return {name: value.numpy().tobytes() for name, value in model.state_dict().items()}


def test_validating_a_fluid_network_changes_no_bit_of_its_training(tmp_path):
    with_it, without = (learn_fluid(tmp_path / f"{each}", each) for each in (True, False))
    assert with_it == without
    losses = bits(tmp_path / "True")
    assert losses == bits(tmp_path / "False")
    # it was training, also after the validations
    assert len(set(losses)) == 15
    assert float.fromhex(losses[-1][1]) < float.fromhex(losses[0][1])


def test_modules_that_were_in_eval_mode_stay_in_it(tmp_path):
    training = Training(tmp_path)
    training.model[1].eval()

    def validate(step):
        assert training.run.validate(samples_as_batches(), training.score).keys() == {
            "loss",
            "accuracy",
        }
        assert [part.training for part in training.model] == [True, False, True, True]

    training.learn(1, validate)


def samples_as_batches():
    x, y = samples(8)
    return [(x[:30], y[:30]), (x[30:], y[30:])]


def test_means_are_over_samples_and_not_over_batches(tmp_path):
    training = Training(tmp_path)
    data = [(torch.zeros(3, 6), torch.zeros(3)), (torch.ones(1, 6), torch.ones(1))]

    def validate(step):
        found = training.run.validate(data, lambda batch: {"mean": batch[1].mean()}, name="test")
        assert found == {"mean": 0.25}

    training.learn(1, validate)
    assert bits(tmp_path, "test_mean") == [(k, (0.25).hex()) for k in range(5)]


def test_batches_of_lists_of_samples_and_of_dictionaries_are_counted(tmp_path):
    training = Training(tmp_path)
    kinds = [
        ([[(1.0, 0), (3.0, 1)], [(5.0, 0)]], lambda batch: np.mean([value for value, _ in batch])),
        ([{"x": np.array([1.0, 3.0])}, {"x": np.array([5.0])}], lambda batch: batch["x"].mean()),
        ([[1.0, 3.0], [5.0]], np.mean),
    ]

    def validate(step):
        for data, mean in kinds:
            assert training.run.validate(data, lambda b, mean=mean: {"x": mean(b)}) == {"x": 3.0}

    training.learn(1, validate)


@pytest.mark.parametrize(
    ("data", "score", "error", "said"),
    [
        ([], lambda _: {}, DataError, "at least one sample"),
        ([3], lambda _: {}, DataError, "is int"),
        ([torch.ones(2)], lambda _: 0.5, TypeError, "`score` must return metrics by name"),
        ([torch.ones(2)], lambda x: {"x": x}, TypeError, "one number for each metric, but 'x'"),
    ],
)
def test_what_cannot_be_validated_is_an_error(tmp_path, data, score, error, said):
    training = Training(tmp_path)
    with pytest.raises(error, match=said):
        training.learn(1, lambda step: training.run.validate(data, score))
    assert training.model.training


def scripted(folder, values, *, break_at=None, patience=2, epochs=20):
    """Log scripted validations, one for each epoch of one step; return the last step's number."""
    state = {"made": 0}
    data = refluid.Batches(torch.ones(2, 1), 2)
    with refluid.Run(folder, keep_lowest="valid_loss", patience=patience) as run:
        run.track(state=state)
        for step in run.steps(data, epochs=epochs):
            state["made"] += 1
            run.log(valid_loss=values[step.number])
            if step.number == break_at:
                raise BrokenOff
    return run.step


def test_the_loop_ends_when_validation_has_not_got_better(tmp_path, capsys):
    values = [5.0, 3.0, 3.0, 4.0, 2.0, 1.0]
    assert scripted(tmp_path / "a", values) == 4
    assert "stopped early after step 4: valid_loss was not better than 3 in 2 val" in (
        capsys.readouterr().err
    )
    with JournalReader(tmp_path / "a" / "run.sqlite") as journal:
        kinds = [event.kind for event in journal.events()]
    assert kinds.count("early stop") == 1
    assert kinds[-1] == "complete"
    # it has ended for good
    assert scripted(tmp_path / "a", values) == 4


def test_patience_counts_on_over_a_stop(tmp_path):
    values = [5.0, 3.0, 3.5, float("nan"), 2.0]
    for break_at in range(4):
        folder = tmp_path / f"{break_at}"
        with pytest.raises(BrokenOff):
            scripted(folder, values, break_at=break_at)
        assert scripted(folder, values) == 4


def test_values_that_keep_getting_better_never_end_a_loop(tmp_path):
    assert scripted(tmp_path, [1 / (1 + k) for k in range(20)]) == 20


def test_a_value_that_is_not_a_number_is_never_the_best():
    patience = Patience("x", highest=True, most=2)
    for value in (float("nan"), float("nan")):
        patience.note(value)
    assert patience.ended
    patience.reset()
    patience.note(1.0)
    assert not patience.ended


def test_patience_without_a_metric_is_refused(tmp_path):
    with pytest.raises(ValueError, match="`patience` needs `keep_highest` or `keep_lowest`"):
        refluid.Run(tmp_path, patience=3)


def test_records_of_a_run_are_there_once_for_each_step(tmp_path):
    def learn(break_at=None):
        training = Training(tmp_path, save_every_steps=2)

        def at_step(step):
            weight = training.model[0].weight
            training.run.record(weights=Histogram.of(weight), note=Text(f"{step.number}"))
            if step.number == break_at:
                raise BrokenOff

        training.learn(2, at_step)

    with pytest.raises(BrokenOff):
        learn(break_at=7)
    learn()
    with JournalReader(tmp_path / "run.sqlite") as journal:
        texts = [(step, record.text) for step, _, record in journal.records(Text)]
        assert texts == [(step, f"{step}") for step in range(10)]
        histograms = [record for _, _, record in journal.records(Histogram)]
    assert [int(each.counts.sum()) for each in histograms] == [48] * 10


def test_something_else_is_no_record(tmp_path):
    training = Training(tmp_path)
    with pytest.raises(TypeError, match="a record must be one of Text, Image"):
        training.learn(1, lambda step: training.run.record(x=3.0))


@pytest.mark.parametrize("name", ["", "a\nb", "\ud800"])
def test_a_record_has_a_name_that_can_be_shown(tmp_path, name):
    training = Training(tmp_path)
    with pytest.raises(ValueError, match="a name must be printable text"):
        training.learn(1, lambda step: training.run.record(**{name: Text("x")}))


def test_a_journal_tells_what_was_planned_and_how_it_ended(tmp_path):
    training = Training(tmp_path)
    training.learn(2, lambda step: None)
    with JournalReader(tmp_path / "run.sqlite") as journal:
        events = [(event.kind, event.text) for event in journal.events()]
    assert ("planned", '{"epochs": 2, "steps_per_epoch": 5}') in events
    assert events[-1] == ("complete", "")


def test_a_change_of_settings_is_in_the_journal(tmp_path):
    for lr in (1, 2):
        training = Training(tmp_path, config={"lr": lr}, save_every_steps=2)

        def break_off(step):
            if step.number == 3:
                raise BrokenOff

        with pytest.raises(BrokenOff):
            training.learn(1, break_off)
    with JournalReader(tmp_path / "run.sqlite") as journal:
        changes = [event.text for event in journal.events() if event.kind == "changed"]
    assert changes == ["`lr` in config: 1 before, 2 now"]


# --- classification -----------------------------------------------------------------------------


def test_counts_are_those_of_scikit_learn():
    metrics = pytest.importorskip("sklearn.metrics")
    generator = torch.Generator().manual_seed(0)
    names = ("a", "b", "c", "never")
    judged = refluid.Classification(names, top=2)
    scores, labels = [], []
    for _ in range(5):
        scores.append(torch.randn(20, 4, generator=generator) - torch.tensor([0, 0, 0, 9.0]))
        labels.append(torch.randint(0, 3, (20,), generator=generator))
        found = judged.add(scores[-1], labels[-1][:, None])
        best = scores[-1].argmax(1)
        assert found["accuracy"] == pytest.approx(float((best == labels[-1]).float().mean()))
        assert found["accuracy_top2"] >= found["accuracy"]
        expected = nn.functional.cross_entropy(scores[-1], labels[-1])
        assert found["loss"] == pytest.approx(float(expected), rel=1e-6)
    true, taken = torch.cat(labels).numpy(), torch.cat(scores).argmax(1).numpy()
    confusion = judged.confusion()
    assert isinstance(confusion, Confusion)
    assert np.array_equal(
        confusion.counts, metrics.confusion_matrix(true, taken, labels=[0, 1, 2, 3])
    )
    expected = metrics.precision_recall_fscore_support(
        true, taken, labels=[0, 1, 2, 3], zero_division=0
    )
    table = judged.table()
    assert isinstance(table, Table)
    assert [row[0] for row in table.rows] == list(names)
    for column, values in enumerate(expected, 1):
        assert [row[column] for row in table.rows] == pytest.approx(values.tolist())


def test_the_worst_mistakes_are_kept_in_order():
    judged = refluid.Classification(("cat", "dog"), num_mistakes=3)
    certain = torch.tensor([0.6, 0.9, 0.7, 0.99, 0.8])
    scores = torch.stack([1 - certain, certain], 1).log()
    images = torch.linspace(0, 1, 5)[:, None, None, None].expand(5, 1, 2, 2)
    for part in (slice(0, 2), slice(2, 5)):
        judged.add(scores[part], torch.zeros(5, dtype=torch.long)[part], images[part])
    captions = [picture.caption for picture in judged.mistakes().pictures]
    assert captions == [f"cat, taken for dog ({share}%)" for share in (99, 90, 80)]
    assert judged.records().keys() == {"confusion", "classes", "mistakes"}


def test_probabilities_are_taken_as_such_and_fluid_variables_too():
    probabilities = torch.tensor([[0.25, 0.75], [0.5, 0.5]])
    with fluid.dygraph.guard():
        variable = fluid.dygraph.to_variable(probabilities.numpy())
        labels = fluid.dygraph.to_variable(np.array([[1], [0]]))
        found = refluid.Classification(2, probabilities=True).add(variable, labels)
    expected = -(np.log(0.75) + np.log(0.5)) / 2
    assert found == {"loss": pytest.approx(expected), "accuracy": 1.0}


@pytest.mark.parametrize(
    ("scores", "labels", "said"),
    [
        (torch.ones(2, 4), torch.zeros(2), r"`scores` must be of shape \[2, 3\]"),
        (torch.ones(2, 3), torch.zeros(3), r"`scores` must be of shape \[3, 3\]"),
        (
            torch.ones(2, 3),
            torch.tensor([0, 3]),
            "`labels` must be from 0 to 2, but are from 0 to 3",
        ),
    ],
)
def test_scores_and_labels_that_do_not_fit_are_refused(scores, labels, said):
    with pytest.raises(ValueError, match=said):
        refluid.Classification(3).add(scores, labels)


@pytest.mark.parametrize("top", [0, 4])
def test_top_must_be_among_the_classes(top):
    with pytest.raises(ValueError, match="`top` must be from 1 to 3"):
        refluid.Classification(3, top=top)


def test_no_batch_is_counted_twice():
    judged = refluid.Classification(2)
    for _ in itertools.repeat(None, 3):
        judged.add(torch.eye(2), torch.tensor([0, 1]))
    assert judged.confusion().counts.tolist() == [[3, 0], [0, 3]]

"""An LSTM learns the language of a small grammar, its state carried from batch to batch.

The cells are written out, as in the PTB program of Paddle's models: one product for all gates.
Perplexity falls towards what the grammar leaves open: 2.11 choices a word.
Unchanged Paddle 1.8; run it with: python -m refluid examples/fluid_language_model.py
"""

import numpy as np
import paddle.fluid as fluid
from paddle.fluid import layers
from paddle.fluid.dygraph import Embedding, to_variable

ANIMALS = {"cat": "meows", "dog": "barks", "cow": "moos", "bird": "sings", "lion": "roars"}
WORDS = sorted({"a", "the", "and", "loudly", "."} | set(ANIMALS) | set(ANIMALS.values()))
BATCH_SIZE, NUM_STEPS, EPOCHS = 16, 10, 5


def sentence(rng):
    """As `the cat and a dog loudly meows barks .`: each animal makes its sound, in turn."""
    animals = [list(ANIMALS)[k] for k in rng.randint(0, len(ANIMALS), rng.randint(1, 3))]
    words = " and ".join(["a ", "the "][rng.randint(0, 2)] + animal for animal in animals).split()
    words += ["loudly"] * rng.randint(0, 2) + [ANIMALS[animal] for animal in animals]
    return [*words, "."]


def text(rng, length):
    words = []
    while len(words) < BATCH_SIZE * length:
        words += sentence(rng)
    ids = [WORDS.index(word) for word in words[: BATCH_SIZE * length]]
    return np.array(ids, "int64").reshape(BATCH_SIZE, length)


class SimpleLSTMRNN(fluid.Layer):
    def __init__(self, hidden_size, param_attr):
        super().__init__()
        self.weight = self.create_parameter([2 * hidden_size, 4 * hidden_size], param_attr)
        self.bias = self.create_parameter([4 * hidden_size], param_attr, is_bias=True)

    def forward(self, inputs, hidden, cell):
        outputs = []
        for step in layers.unstack(inputs, axis=1):
            gates = layers.matmul(layers.concat([step, hidden], axis=1), self.weight)
            gates = layers.elementwise_add(gates, self.bias)
            i, j, f, o = layers.split(gates, num_or_sections=4, dim=-1)
            cell = cell * layers.sigmoid(f) + layers.sigmoid(i) * layers.tanh(j)
            hidden = layers.tanh(cell) * layers.sigmoid(o)
            outputs.append(hidden)
        return layers.stack(outputs, axis=1), hidden, cell


class PtbModel(fluid.Layer):
    def __init__(self, vocab_size, hidden_size, init_scale=0.1):
        super().__init__()
        uniform = fluid.ParamAttr(initializer=fluid.initializer.Uniform(-init_scale, init_scale))
        self.embedding = Embedding([vocab_size, hidden_size], param_attr=uniform)
        self.lstm = SimpleLSTMRNN(hidden_size, uniform)
        self.softmax_weight = self.create_parameter([hidden_size, vocab_size], uniform)
        self.start = np.zeros([BATCH_SIZE, hidden_size], "float32")

    def forward(self, words, labels, hidden, cell):
        outputs, hidden, cell = self.lstm(self.embedding(words), hidden, cell)
        logits = layers.matmul(outputs, self.softmax_weight)
        loss = layers.softmax_with_cross_entropy(logits, layers.unsqueeze(labels, axes=[2]))
        return layers.reduce_mean(loss), hidden, cell


def run_epoch(model, text, optimizer=None):
    hidden, cell, losses = to_variable(model.start), to_variable(model.start), []
    for start in range(0, text.shape[1] - NUM_STEPS, NUM_STEPS):
        words = to_variable(text[:, start : start + NUM_STEPS])
        labels = to_variable(text[:, start + 1 : start + 1 + NUM_STEPS])
        # the state goes on, the gradients end here
        loss, hidden, cell = model(words, labels, hidden.detach(), cell.detach())
        losses.append(loss.numpy()[0])
        if optimizer is not None:
            loss.backward()
            optimizer.minimize(loss)
            model.clear_gradients()
    return losses


with fluid.dygraph.guard():
    fluid.default_main_program().random_seed = 1
    rng = np.random.RandomState(1)
    train, test = text(rng, 401), text(rng, 101)
    model = PtbModel(len(WORDS), hidden_size=48)
    clip = fluid.clip.GradientClipByGlobalNorm(1.0)
    optimizer = fluid.optimizer.Adam(0.02, parameter_list=model.parameters(), grad_clip=clip)
    for epoch in range(EPOCHS):
        losses = run_epoch(model, train, optimizer)
        if epoch == 0:
            print("first losses: " + " ".join(f"{loss:.6f}" for loss in losses[:6]))
        perplexity, on_new_text = np.exp(np.mean(losses)), np.exp(np.mean(run_epoch(model, test)))
        print(f"epoch {epoch}: perplexity {perplexity:.3f}, on new text {on_new_text:.3f}")

"""A small Transformer learns to write sequences of digits backwards: Noam decay, label smoothing.

At the end it decodes greedily, symbol by symbol, sequences that it has not seen.
Unchanged Paddle 1.8; run it with: python -m refluid examples/fluid_transformer.py
"""

import numpy as np
import paddle.fluid as fluid
from paddle.fluid import layers
from paddle.fluid.dygraph import Embedding, Layer, LayerNorm, Linear, to_variable

VOCAB, BOS, LENGTH, BATCH_SIZE, STEPS = 11, 10, 6, 64, 200
D_MODEL, N_HEAD, D_INNER = 32, 4, 64


class MultiHeadAttention(Layer):
    def __init__(self):
        super().__init__()
        self.q_fc, self.k_fc = Linear(D_MODEL, D_MODEL), Linear(D_MODEL, D_MODEL)
        self.v_fc, self.proj_fc = Linear(D_MODEL, D_MODEL), Linear(D_MODEL, D_MODEL)

    def forward(self, queries, memory, bias=0.0):
        q, k, v = [
            layers.transpose(layers.reshape(x, [0, 0, N_HEAD, D_MODEL // N_HEAD]), [0, 2, 1, 3])
            for x in (self.q_fc(queries), self.k_fc(memory), self.v_fc(memory))
        ]
        scores = layers.matmul(q, k, transpose_y=True, alpha=(D_MODEL // N_HEAD) ** -0.5)
        out = layers.matmul(layers.softmax(scores + bias), v)
        return self.proj_fc(layers.reshape(layers.transpose(out, [0, 2, 1, 3]), [0, 0, D_MODEL]))


class Block(Layer):
    def __init__(self, with_memory):
        super().__init__()
        self.self_attn, self.norm1 = MultiHeadAttention(), LayerNorm(D_MODEL)
        if with_memory:
            self.cross_attn, self.norm2 = MultiHeadAttention(), LayerNorm(D_MODEL)
        self.fc1, self.fc2 = Linear(D_MODEL, D_INNER, act="relu"), Linear(D_INNER, D_MODEL)
        self.norm3 = LayerNorm(D_MODEL)

    def forward(self, x, memory=None, bias=0.0):
        x = self.norm1(x + self.self_attn(x, x, bias))
        if memory is not None:
            x = self.norm2(x + self.cross_attn(x, memory))
        return self.norm3(x + self.fc2(self.fc1(x)))


class Transformer(Layer):
    def __init__(self):
        super().__init__()
        self.embedding = Embedding([VOCAB, D_MODEL], param_attr=fluid.initializer.Normal())
        angles = np.arange(LENGTH)[:, None] / 100.0 ** (np.arange(D_MODEL // 2) * 2.0 / D_MODEL)
        positions = np.concatenate([np.sin(angles), np.cos(angles)], axis=1)
        self.positions = to_variable(positions.astype("float32"))
        self.mask = to_variable(np.triu(np.full([LENGTH, LENGTH], -1e9, "float32"), 1))
        self.encoder, self.decoder = Block(with_memory=False), Block(with_memory=True)
        self.out = Linear(D_MODEL, VOCAB)

    def forward(self, source, target):
        memory = self.encoder(self.embedding(source) + self.positions)
        output = self.decoder(self.embedding(target) + self.positions, memory, self.mask)
        return self.out(output)


def shifted(target):
    return np.concatenate([np.full_like(target[:, :1], BOS), target[:, :-1]], axis=1)


with fluid.dygraph.guard():
    fluid.default_main_program().random_seed = 2
    rng = np.random.RandomState(2)
    model = Transformer()
    rate = fluid.dygraph.NoamDecay(D_MODEL, warmup_steps=150)
    optimizer = fluid.optimizer.Adam(rate, beta2=0.98, parameter_list=model.parameters())
    losses = []
    for step in range(STEPS):
        source = rng.randint(0, 10, [BATCH_SIZE, LENGTH]).astype("int64")
        target = source[:, ::-1].copy()
        logits = model(to_variable(source), to_variable(shifted(target)))
        label = layers.label_smooth(layers.one_hot(to_variable(target[..., None]), VOCAB))
        loss = layers.mean(layers.softmax_with_cross_entropy(logits, label, soft_label=True))
        loss.backward()
        optimizer.minimize(loss)
        model.clear_gradients()
        losses.append(loss.numpy()[0])
        if step == 5:
            print("first losses: " + " ".join(f"{loss:.6f}" for loss in losses))
        if step % 50 == 49:
            print(f"step {step + 1}: loss {np.mean(losses[-50:]):.4f}")

    model.eval()
    source = rng.randint(0, 10, [200, LENGTH]).astype("int64")
    written = np.zeros_like(source)
    for k in range(LENGTH):
        logits = model(to_variable(source), to_variable(shifted(written)))
        written[:, k] = layers.argmax(logits, axis=-1).numpy()[:, k]
    right = (written == source[:, ::-1]).all(axis=1)
    print(f"written backwards: {np.mean(right):.3f}; {source[0].tolist()} -> {written[0].tolist()}")

"""A small residual network learns to read digits: BatchNorm, Momentum, piecewise decay, L2Decay.

It draws its data itself: digits of a font of 3 x 5 dots, anywhere in the image, under noise.
Unchanged Paddle 1.8; run it with: python -m refluid examples/fluid_classifier.py
"""

import numpy as np
import paddle.fluid as fluid
from paddle.fluid.dygraph import BatchNorm, Conv2D, Linear, Pool2D, to_variable

FONT = [0o75557, 0o26227, 0o71747, 0o71717, 0o55711, 0o74717, 0o74757, 0o71111, 0o75757, 0o75717]
DOTS = [np.array(list(f"{dots:015b}"), "float32").reshape(5, 3) for dots in FONT]
GLYPHS = [np.kron(dots, np.ones([2, 2])) for dots in DOTS]
EPOCHS, BATCH_SIZE, NUM_TRAIN, NUM_TEST = 4, 32, 768, 192


def draw(rng, count):
    images = rng.normal(0.0, 0.3, [count, 1, 12, 12]).astype("float32")
    labels = rng.randint(0, 10, [count, 1]).astype("int64")
    for k in range(count):
        top, left = rng.randint(0, 3), rng.randint(0, 7)
        images[k, 0, top : top + 10, left : left + 6] += GLYPHS[labels[k, 0]]
    return images, labels


class ConvBNLayer(fluid.dygraph.Layer):
    def __init__(self, num_channels, num_filters, filter_size, stride=1, act=None):
        super().__init__()
        self.conv = Conv2D(num_channels, num_filters, filter_size, stride, filter_size // 2)
        self.batch_norm = BatchNorm(num_filters, act=act)

    def forward(self, inputs):
        return self.batch_norm(self.conv(inputs))


class BasicBlock(fluid.dygraph.Layer):
    def __init__(self, num_channels, num_filters, stride):
        super().__init__()
        self.conv0 = ConvBNLayer(num_channels, num_filters, 3, stride, "relu")
        self.conv1 = ConvBNLayer(num_filters, num_filters, 3)
        self.short = ConvBNLayer(num_channels, num_filters, 1, stride)

    def forward(self, inputs):
        y = self.conv1(self.conv0(inputs))
        return fluid.layers.elementwise_add(x=self.short(inputs), y=y, act="relu")


class ResNet(fluid.dygraph.Layer):
    def __init__(self):
        super().__init__()
        self.conv = ConvBNLayer(1, 8, 3, act="relu")
        self.block0 = BasicBlock(8, 16, stride=2)
        self.block1 = BasicBlock(16, 32, stride=2)
        self.pool = Pool2D(pool_type="avg", global_pooling=True)
        self.out = Linear(32, 10, act="softmax")

    def forward(self, inputs):
        y = self.pool(self.block1(self.block0(self.conv(inputs))))
        return self.out(fluid.layers.reshape(y, [-1, 32]))


def run_epoch(model, images, labels, optimizer=None):
    losses, accuracies = [], []
    for start in range(0, len(images), BATCH_SIZE):
        image = to_variable(images[start : start + BATCH_SIZE])
        label = to_variable(labels[start : start + BATCH_SIZE])
        predict = model(image)
        loss = fluid.layers.mean(fluid.layers.cross_entropy(input=predict, label=label))
        accuracies.append(fluid.layers.accuracy(input=predict, label=label).numpy()[0])
        losses.append(loss.numpy()[0])
        if optimizer is not None:
            loss.backward()
            optimizer.minimize(loss)
            model.clear_gradients()
    return losses, np.mean(accuracies)


with fluid.dygraph.guard():
    fluid.default_main_program().random_seed = 3
    rng = np.random.RandomState(3)
    (images, labels), validation = draw(rng, NUM_TRAIN), draw(rng, NUM_TEST)
    model = ResNet()
    boundaries = [2 * NUM_TRAIN // BATCH_SIZE, 3 * NUM_TRAIN // BATCH_SIZE]
    optimizer = fluid.optimizer.Momentum(
        fluid.dygraph.PiecewiseDecay(boundaries, [0.1, 0.02, 0.004], begin=0),
        momentum=0.9,
        parameter_list=model.parameters(),
        regularization=fluid.regularizer.L2Decay(1e-4),
    )
    for epoch in range(EPOCHS):
        order = rng.permutation(NUM_TRAIN)
        losses, accuracy = run_epoch(model, images[order], labels[order], optimizer)
        if epoch == 0:
            print("first losses: " + " ".join(f"{loss:.6f}" for loss in losses[:6]))
        model.eval()
        _, test_accuracy = run_epoch(model, *validation)
        model.train()
        print(f"epoch {epoch}: loss {np.mean(losses):.4f}, accuracy {accuracy:.3f}", end=", ")
        print(f"validation accuracy {test_accuracy:.3f}")

"""A fluid network with two heads on devices of their own, as YOLO9000 has one for each question.

A trunk looks at a digit; one head says which digit it is, the other one where its ink is (the
centre of mass). Where there are two GPUs each head has one; `place` moves what goes in and out.
Run it: python -m refluid examples/two_heads.py
"""

import numpy as np
import paddle.fluid as fluid
from paddle.fluid.dygraph.nn import Conv2D, Linear, Pool2D

from refluid.data import load_digits
from refluid.distributed.placement import place

EPOCHS, BATCH_SIZE = 3, 50

NUM_GPUS = len(fluid.cuda_places()) if fluid.is_compiled_with_cuda() else 0
PLACES = [fluid.CUDAPlace(k % NUM_GPUS) if NUM_GPUS else fluid.CPUPlace() for k in range(2)]

digits = load_digits().train
ink = digits.images
axes = np.arange(digits.images.shape[2], dtype="float32")
total = ink.sum(axis=(1, 2, 3))
centres = np.stack([(ink.sum(axis=(1, k)) * axes).sum(1) / total for k in (3, 2)], axis=1)
centres /= axes[-1]


class Trunk(fluid.dygraph.Layer):
    def __init__(self):
        super().__init__()
        self.conv1 = Conv2D(1, 16, 3, padding=1, act="relu")
        self.conv2 = Conv2D(16, 16, 3, padding=1, act="relu")
        self.pool = Pool2D(pool_size=2, pool_stride=2, pool_type="max")

    def forward(self, image):
        return self.pool(self.conv2(self.conv1(image)))


class Head(fluid.dygraph.Layer):
    def __init__(self, num_outputs, act):
        super().__init__()
        self.conv = Conv2D(16, 16, 3, padding=1, act="relu")
        self.fc = Linear(16 * 4 * 4, num_outputs, act=act)

    def forward(self, features):
        x = self.conv(features)
        return self.fc(fluid.layers.reshape(x, [x.shape[0], -1]))


class TwoHeads(fluid.dygraph.Layer):
    def __init__(self):
        super().__init__()
        self.trunk = Trunk()
        self.which = place(Head(10, "softmax"), PLACES[0])
        self.where = place(Head(2, None), PLACES[1])

    def forward(self, image):
        features = self.trunk(image)
        return self.which(features), self.where(features)


with fluid.dygraph.guard():
    fluid.default_main_program().random_seed = 1
    model = TwoHeads()
    optimizer = fluid.optimizer.AdamOptimizer(0.005, parameter_list=model.parameters())
    order = np.random.RandomState(1)
    for epoch in range(EPOCHS):
        for batch in np.array_split(order.permutation(len(digits)), len(digits) // BATCH_SIZE):
            image = fluid.dygraph.to_variable(digits.images[batch])
            label = fluid.dygraph.to_variable(digits.labels[batch][:, None])
            centre = fluid.dygraph.to_variable(centres[batch])
            which, where = model(image)
            loss_which = fluid.layers.mean(fluid.layers.cross_entropy(which, label))
            loss_where = fluid.layers.mean(fluid.layers.square_error_cost(where, centre))
            loss = loss_which + loss_where
            loss.backward()
            optimizer.minimize(loss)
            model.clear_gradients()
        values = (epoch, float(loss_which.numpy()), float(loss_where.numpy()) ** 0.5)
        print("epoch {}: loss of which {:.4f}, where off by {:.4f}".format(*values))

"""The course's training program for Paddle 1.x; a step ends at each `yield`."""

import paddle.fluid as fluid
from paddle.fluid.dygraph.nn import Conv2D, Linear, Pool2D
from reader import load_data


class MNIST(fluid.dygraph.Layer):
    def __init__(self):
        super(MNIST, self).__init__()
        self.conv1 = Conv2D(1, 20, 5, stride=1, padding=2, act="relu")
        self.pool1 = Pool2D(pool_size=2, pool_stride=2, pool_type="max")
        self.conv2 = Conv2D(20, 20, 5, stride=1, padding=2, act="relu")
        self.pool2 = Pool2D(pool_size=2, pool_stride=2, pool_type="max")
        self.fc = Linear(980, 10, act="softmax")

    def forward(self, inputs, label):
        x = self.pool1(self.conv1(inputs))
        x = self.pool2(self.conv2(x))
        x = fluid.layers.reshape(x, [x.shape[0], 980])
        x = self.fc(x)
        return x, fluid.layers.accuracy(input=x, label=label)


def train():
    train_loader = load_data()
    with fluid.dygraph.guard(fluid.CPUPlace()):
        model = MNIST()
        model.train()
        lr = fluid.dygraph.PolynomialDecay(0.01, 3005, 0.001)
        optimizer = fluid.optimizer.AdamOptimizer(lr, parameter_list=model.parameters())
        while True:
            for image_data, label_data in train_loader():
                image = fluid.dygraph.to_variable(image_data)
                label = fluid.dygraph.to_variable(label_data)
                predict, acc = model(image, label)
                avg_acc = fluid.layers.mean(acc)
                avg_loss = fluid.layers.mean(fluid.layers.cross_entropy(predict, label))
                avg_loss.backward()
                optimizer.minimize(avg_loss)
                model.clear_gradients()
                yield avg_loss, avg_acc

"""The same training for Paddle 3; a step ends at each `yield`."""

import paddle
import paddle.nn.functional as F
from paddle import nn
from reader import load_data


class MNIST(nn.Layer):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2D(1, 20, 5, padding=2)
        self.conv2 = nn.Conv2D(20, 20, 5, padding=2)
        self.pool = nn.MaxPool2D(2)
        self.fc = nn.Linear(980, 10)

    def forward(self, x):
        x = self.pool(F.relu(self.conv1(x)))
        x = self.pool(F.relu(self.conv2(x)))
        return self.fc(x.reshape([x.shape[0], 980]))


def train():
    train_loader = load_data()
    model = MNIST()
    model.train()
    lr = paddle.optimizer.lr.PolynomialDecay(0.01, 3005, 0.001)
    optimizer = paddle.optimizer.Adam(lr, parameters=model.parameters())
    while True:
        for image_data, label_data in train_loader():
            image, label = paddle.to_tensor(image_data), paddle.to_tensor(label_data)
            predict = model(image)
            loss = F.cross_entropy(predict, label)
            accuracy = paddle.metric.accuracy(predict, label)
            loss.backward()
            optimizer.step()
            optimizer.clear_grad()
            lr.step()
            yield loss, accuracy

"""The same training as somebody writes it by hand in PyTorch; a step ends at each `yield`."""

import torch
import torch.nn.functional as F
from reader import load_data
from torch import nn


class MNIST(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 20, 5, padding=2)
        self.conv2 = nn.Conv2d(20, 20, 5, padding=2)
        self.pool = nn.MaxPool2d(2)
        self.fc = nn.Linear(980, 10)

    def forward(self, x):
        x = self.pool(F.relu(self.conv1(x)))
        x = self.pool(F.relu(self.conv2(x)))
        return self.fc(x.reshape(x.shape[0], 980))


def train():
    train_loader = load_data()
    model = MNIST()
    model.train()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    schedule = torch.optim.lr_scheduler.PolynomialLR(optimizer, 3005)
    while True:
        for image_data, label_data in train_loader():
            image = torch.from_numpy(image_data)
            label = torch.from_numpy(label_data).squeeze(1)
            predict = model(image)
            loss = F.cross_entropy(predict, label)
            accuracy = (predict.argmax(1) == label).float().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            yield loss, accuracy

"""Train a small network on handwritten digits in plain PyTorch. Killed, it begins again.

`diff examples/plain_before.py examples/plain_after.py` shows what it takes to go on instead.
Run it: python examples/plain_before.py
"""

import torch
from torch import nn
from torch.nn import functional
from torch.utils.data import DataLoader, TensorDataset

from refluid.data import load_digits

EPOCHS = 5

torch.manual_seed(1)
digits = load_digits().train
samples = TensorDataset(torch.from_numpy(digits.images), torch.from_numpy(digits.labels))
batches = DataLoader(samples, batch_size=32, shuffle=True)

model = nn.Sequential(
    nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
    nn.Conv2d(16, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
    nn.Flatten(), nn.Dropout(0.2), nn.Linear(64, 10),
)  # fmt: skip
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)

for epoch in range(EPOCHS):
    for index, (images, labels) in enumerate(batches):
        loss = functional.cross_entropy(model(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if index == 0:
            print(f"epoch {epoch}: loss {loss.item():.6f}")

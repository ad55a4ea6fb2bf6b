"""The same training, which can be killed at any instant: started again, it goes on bit for bit.

Run it: python examples/plain_after.py, stop it with Ctrl-C or kill -9, and run it again. What it
logged is in runs/plain/run.sqlite.
"""

import torch
from torch import nn
from torch.nn import functional
from torch.utils.data import DataLoader, TensorDataset

import refluid
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

with refluid.Run("runs/plain") as run:
    run.track(model=model, optimizer=optimizer)
    for step in run.steps(batches, epochs=EPOCHS):
        images, labels = step.batch
        loss = functional.cross_entropy(model(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        run.log(loss=loss)
        if step.index == 0:
            print(f"epoch {step.epoch}: loss {loss.item():.6f}")

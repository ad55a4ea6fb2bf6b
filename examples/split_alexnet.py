"""A network like AlexNet whose two halves are in two processes, none of which ever has the whole.

Each part of a batch passes through the first half in one process and then through the second in the
other, while the first already works on the next part. The training is that of the unsplit network.
Run it: refluid launch --nproc 2 examples/split_alexnet.py
Alone it does the same in one process: python examples/split_alexnet.py
"""

import torch
from torch import nn
from torch.nn import functional

from refluid.data import load_digits
from refluid.distributed.pipeline import split

EPOCHS, BATCH_SIZE = 3, 64


def alexnet():
    """Yield the layers one by one: each process keeps its own, and drops the others at once."""
    yield nn.Conv2d(1, 16, 3, padding=1)
    yield nn.ReLU()
    yield nn.MaxPool2d(2)
    yield nn.Conv2d(16, 32, 3, padding=1)
    yield nn.ReLU()
    yield nn.Conv2d(32, 48, 3, padding=1)
    yield nn.ReLU()
    yield nn.Conv2d(48, 48, 3, padding=1)
    yield nn.ReLU()
    yield nn.Conv2d(48, 32, 3, padding=1)
    yield nn.ReLU()
    yield nn.MaxPool2d(2)
    yield nn.Flatten()
    yield nn.Linear(128, 256)
    yield nn.ReLU()
    yield nn.Linear(256, 256)
    yield nn.ReLU()
    yield nn.Linear(256, 10)


torch.manual_seed(1)
digits = load_digits()
images, labels = torch.from_numpy(digits.train.images), torch.from_numpy(digits.train.labels)
test_images, test_labels = map(torch.from_numpy, (digits.test.images, digits.test.labels))

model = split(alexnet, loss=functional.cross_entropy, num_microbatches=4)
optimizer = torch.optim.Adam(model.parameters(), lr=0.002)
num_here = sum(p.numel() for p in model.parameters())
num_all = sum(torch.Size(entry.shape).numel() for entry in model.plan.entries)
print(f"process {model.rank} has {num_here:,} of {num_all:,} parameters")

# every process takes the same batches: the first half uses the images, the second the labels
order = torch.Generator().manual_seed(2)
for epoch in range(EPOCHS):
    # what fills no batch is left out
    for batch in torch.randperm(len(images), generator=order).split(BATCH_SIZE)[:-1]:
        optimizer.zero_grad()
        loss = model.step(images[batch], labels[batch])
        optimizer.step()
    right = (model.predict(test_images).argmax(1) == test_labels).float().mean()
    if model.rank == 0:
        print(f"epoch {epoch}: loss {loss.item():.5f}, {right.item():.1%} of the test images right")

# the whole state comes together in process 0, and is what the unsplit network loads
state = model.state_dict()
if model.rank == 0:
    whole = nn.Sequential(*alexnet())
    whole.load_state_dict(state)
    right = (whole(test_images).argmax(1) == test_labels).float().mean()
    print(f"unsplit: {right.item():.1%} of the test images right")

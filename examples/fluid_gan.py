"""A generator learns to draw points on a circle, against a discriminator: two optimizers.

The discriminator sees the generator's points detached, so its step leaves the generator alone.
Unchanged Paddle 1.8; run it with: python -m refluid examples/fluid_gan.py
"""

import numpy as np
import paddle.fluid as fluid
from paddle.fluid.dygraph import BatchNorm, Linear, to_variable

BATCH_SIZE, NOISE_DIM, STEPS = 64, 4, 400


class Generator(fluid.dygraph.Layer):
    def __init__(self, hidden=32):
        super().__init__()
        self.fc1 = Linear(NOISE_DIM, hidden)
        self.bn1 = BatchNorm(hidden, act="relu")
        self.fc2 = Linear(hidden, hidden)
        self.bn2 = BatchNorm(hidden, act="relu")
        self.fc3 = Linear(hidden, 2)

    def forward(self, noise):
        return self.fc3(self.bn2(self.fc2(self.bn1(self.fc1(noise)))))


class Discriminator(fluid.dygraph.Layer):
    def __init__(self, hidden=32):
        super().__init__()
        self.fc1 = Linear(2, hidden)
        self.fc2 = Linear(hidden, hidden)
        self.fc3 = Linear(hidden, 1)

    def forward(self, points):
        y = fluid.layers.leaky_relu(self.fc1(points), alpha=0.2)
        y = fluid.layers.leaky_relu(self.fc2(y), alpha=0.2)
        return self.fc3(y)


def real_points(rng):
    angle = rng.uniform(0.0, 2.0 * np.pi, [BATCH_SIZE, 1])
    points = np.concatenate([np.cos(angle), np.sin(angle)], axis=1)
    return (points + rng.normal(0.0, 0.02, points.shape)).astype("float32")


def noise(rng, count):
    return to_variable(rng.uniform(-1.0, 1.0, [count, NOISE_DIM]).astype("float32"))


def cost(logits, value):
    label = fluid.layers.fill_constant(logits.shape, "float32", value)
    return fluid.layers.reduce_mean(
        fluid.layers.sigmoid_cross_entropy_with_logits(x=logits, label=label)
    )


with fluid.dygraph.guard():
    fluid.default_main_program().random_seed = 5
    rng = np.random.RandomState(5)
    generator, discriminator = Generator(), Discriminator()
    g_optimizer = fluid.optimizer.Adam(
        learning_rate=0.002, beta1=0.5, parameter_list=generator.parameters()
    )
    d_optimizer = fluid.optimizer.Adam(
        learning_rate=0.004, beta1=0.5, parameter_list=discriminator.parameters()
    )
    g_losses, d_losses = [], []
    for step in range(STEPS):
        fake = generator(noise(rng, BATCH_SIZE))
        d_loss = cost(discriminator(to_variable(real_points(rng))), 1.0)
        d_loss = d_loss + cost(discriminator(fake.detach()), 0.0)
        d_loss.backward()
        d_optimizer.minimize(d_loss)
        discriminator.clear_gradients()

        g_loss = cost(discriminator(fake), 1.0)
        g_loss.backward()
        g_optimizer.minimize(g_loss)
        generator.clear_gradients()
        discriminator.clear_gradients()
        g_losses.append(g_loss.numpy()[0])
        d_losses.append(d_loss.numpy()[0])
        if step == 5:
            print("first losses: " + " ".join(f"{loss:.6f}" for loss in d_losses + g_losses))
        if step % 100 == 99:
            print(f"step {step + 1}: discriminator {np.mean(d_losses[-100:]):.4f}, ", end="")
            print(f"generator {np.mean(g_losses[-100:]):.4f}")

    generator.eval()
    points = generator(noise(rng, 1000)).numpy()
    radius = np.sqrt((points**2).sum(axis=1))
    angle = np.arctan2(points[:, 1], points[:, 0])
    share, _ = np.histogram(angle, bins=8, range=(-np.pi, np.pi))
    print(f"radius {radius.mean():.3f} +- {radius.std():.3f}")
    print("eighths of the circle: " + " ".join(f"{n / 1000:.3f}" for n in share))

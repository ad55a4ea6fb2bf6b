"""The course's reader: one image at a time, batches of 100, shuffled anew each epoch.

Standard library and NumPy only, and it runs under Python 3.7, because Paddle 1.8 uses it too.
"""

import random

import numpy as np

NUM_IMAGES, BATCH_SIZE = 5000, 100


def load_data():
    """Return a generator function of (float32 [100, 1, 28, 28], int64 [100, 1])."""
    rng = np.random.RandomState(0)
    imgs = rng.rand(NUM_IMAGES, 784).round(8).tolist()
    labels = rng.randint(0, 10, NUM_IMAGES).tolist()
    index_list = list(range(NUM_IMAGES))

    def data_generator():
        random.shuffle(index_list)
        imgs_list, labels_list = [], []
        for i in index_list:
            imgs_list.append(np.reshape(imgs[i], [1, 28, 28]).astype("float32"))
            labels_list.append(np.reshape(labels[i], [1]).astype("int64"))
            if len(imgs_list) == BATCH_SIZE:
                yield np.array(imgs_list), np.array(labels_list)
                imgs_list, labels_list = [], []

    return data_generator

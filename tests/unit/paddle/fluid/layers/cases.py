"""One line for each case: an expression that runs alike under Paddle 1.8.5 and under refluid.

    python3.7-with-paddle cases.py recordings.npz

writes what Paddle gives, outputs and gradients; test_cases.py compares. Python 3.7 and NumPy of
2020 must be able to read this.
"""

import collections
import re
import sys

import numpy as np


def floats(seed, *shape, low=-2.0, high=2.0):
    return np.random.RandomState(seed).uniform(low, high, shape).astype("float32")


def ids(seed, high, *shape):
    return np.random.RandomState(seed).randint(0, high, shape).astype("int64")


def shares(seed, *shape):
    values = floats(seed, *shape, low=0.1, high=1.0)
    return values / values.sum(-1, keepdims=True)


# what the names in an expression stand for; of floats the gradients are recorded too
INPUTS = {
    "x": floats(1, 2, 3, 4),
    "y": floats(2, 2, 3, 4),
    "p": floats(3, 2, 3, 4, low=0.2, high=3.0),
    "p3": floats(4, 3, low=0.2, high=3.0),
    "p4": floats(5, 4, low=0.2, high=3.0),
    "small": floats(6, 2, 3, low=-0.9, high=0.9),
    "a": floats(7, 3, 4),
    "b": floats(8, 4, 5),
    "c": floats(9, 3, 4),
    "v": floats(10, 4),
    "w": floats(11, 4),
    "s": floats(12, 4, 3, 2),
    "t": floats(13, 4, 2, 5),
    "one": floats(14, 2, 1, 3, 1),
    "img": floats(15, 2, 4, 4, 6),
    "nhwc": floats(16, 2, 4, 6, 4),
    "vol": floats(17, 1, 2, 3, 4, 4),
    "grid": floats(18, 2, 4, 6, 2, low=-1.2, high=1.2),
    "theta": floats(19, 2, 2, 3),
    "col": floats(20, 3, 1),
    "col2": floats(21, 3, 1),
    "yes": np.array([[1], [0], [1]], "float32"),
    "chance": floats(22, 3, 1, low=0.1, high=0.9),
    "prob": shares(23, 3, 4),
    "soft": shares(24, 3, 4),
    "lab": np.array([[1], [3], [0]], "int64"),
    "rows": np.array([2, 0, 2], "int64"),
    "two": floats(25, 2, 4),
    "three": floats(26, 3, 4),
    "ties": np.array([[1, 3, 3, 0], [2, 2, 0, 2]], "float32"),
    "i": np.array([[7, -7, 8], [9, 5, -4]], "int64"),
    "j": np.array([[3, 3, -3], [4, -2, 3]], "int64"),
    "n": ids(27, 9, 3, 4),
    "yn": np.array([[True, False, True], [True, True, True]]),
    "ny": np.array([[True, False, False], [False, True, True]]),
    "gates": floats(28, 2, 9),
    "state": floats(29, 2, 3),
    "steps": floats(30, 2, 5, 3),
    "frames": floats(31, 4, 4, 2, 2),
    "words": np.array([[1, 2], [0, 4]], "int64"),
    "edges": np.array([-0.5, 0, 0.5, 0.8, 1.0], "float32"),
    "halves": np.array([-2.5, -1.5, -0.5, 0.5, 1.5, 2.5], "float32"),
    "far": np.array([[0, 200, 63], [0, -70, 0]], "float32"),
}

CASES = """
# activations and other functions of one variable
L.abs(x); L.acos(small); L.asin(small); L.atan(x); L.ceil(x); L.cos(x); L.erf(x); L.exp(x)
L.floor(x); L.gelu(x); L.gelu(x, True); L.hard_shrink(x); L.hard_shrink(x, 0.3); L.logsigmoid(x)
L.reciprocal(p); L.round(halves); L.rsqrt(p); L.sigmoid(x); L.sin(x); L.softplus(x)
L.softshrink(x); L.softshrink(x, 0.3); L.softsign(x); L.sqrt(p); L.square(x); L.square(i)
L.tanh(x); L.tanh_shrink(x); L.thresholded_relu(x); L.thresholded_relu(edges, 0.5); L.abs(i)
L.cumsum(x); L.cumsum(x, 1); L.cumsum(x, axis=0, exclusive=True)
L.cumsum(x, axis=2, reverse=True); L.cumsum(x, axis=2, reverse=True, exclusive=True)
L.brelu(x, -0.5, 0.8); L.brelu(edges, 0.0, 0.8); L.elu(x); L.elu(x, 0.3)
L.hard_sigmoid(x, 0.3, 0.4); L.hard_swish(x); L.hard_swish(x, 4.0, 5.0, 2.0)
L.leaky_relu(edges, 0.2); L.leaky_relu(x); L.log(p); L.log1p(p); L.log_softmax(x)
L.log_softmax(x, 1); L.log_softmax(x, dtype='float64'); L.log_softmax(far); L.maxout(img, 2)
L.maxout(img, 2, axis=-1); L.mish(x); L.pow(p, 2.5); L.pow(i, 2); L.relu(edges); L.relu6(x, 1.0)
L.selu(x); L.selu(x, 1.2, 1.5); L.sign(x); L.soft_relu(x, 1.0); L.softmax(x); L.softmax(x, axis=1)
L.softmax(far); L.stanh(x, 0.5, 2.0); L.swish(x, 2.0)
# two variables, element by element
L.elementwise_add(x, y); L.elementwise_add(p, p3, axis=1); L.elementwise_add(p, p4, act='relu')
L.elementwise_sub(x, y); L.elementwise_mul(x, y); L.elementwise_div(x, p)
L.elementwise_max(ties, ties); L.elementwise_div(p, p3, axis=1); L.elementwise_min(x, y)
L.elementwise_max(x, y); L.elementwise_pow(p, y); L.elementwise_div(i, j); L.elementwise_mod(i, j)
L.elementwise_floordiv(i, j); L.elementwise_equal(i, i); L.logical_and(yn, ny)
L.logical_or(yn, ny); L.logical_xor(yn, ny); L.logical_not(ny); L.scale(x, 2.0, 1.5)
L.scale(x, 2.0, 1.5, False); L.scale(i, 2.5, 1.5); L.scale(x, 2.0, act='relu')
L.clip(edges, 0.0, 0.8); L.clamp(x, 0.1); L.clamp(x, -0.5, 0.3); L.clip_by_norm(x, 1.0)
L.sum([x, y]); L.sums([x, y, x]); L.addcmul(x, y, p, 0.5); L.equal(i, j); L.not_equal(x, x)
L.less_than(x, y); L.less_equal(i, j); L.greater_than(x, y); L.greater_equal(x, x); L.is_empty(x)
L.increment(V([3.0], 'float32'), 2.0); L.increment(V([3], 'int64'), 2.5)
# reductions
L.mean(x); L.reduce_sum(x); L.reduce_sum(x, 1); L.reduce_sum(x, [0, -1]); L.reduce_sum(i, 0, True)
L.reduce_mean(x, -1, True); L.reduce_mean(i); L.reduce_max(ties, 1); L.reduce_min(ties, [0])
L.reduce_max(x, [0, 2], True); L.reduce_prod(p); L.reduce_prod(p, [0, 2]); L.reduce_all(yn)
L.reduce_any(ny, 1); L.reduce_all(ny, 0, True); L.logsumexp(x); L.logsumexp(x, [1], True)
L.allclose(x, x); L.allclose(x, y); L.dist(x, y); L.dist(x, y, 1); L.dist(x, y, float('inf'))
# products
L.matmul(a, b); L.matmul(a, c, False, True, 0.5); L.matmul(v, w); L.matmul(a, v); L.matmul(w, b)
L.matmul(t, s, True, True); L.mul(a, b); L.mul(x, b, 2); L.mul(two, b)
L.bmm(s, L.transpose(s, [0, 2, 1]))
L.addmm(V(np.ones((3, 5)), 'float32'), a, b, alpha=0.5, beta=2.0); L.dot(v, w); L.dot(a, c)
L.cos_sim(a, c); L.cross(small, state); L.kron(two, small); L.fsp_matrix(img, img)
# layout
L.reshape(x, [4, 6]); L.reshape(x, [0, -1]); L.reshape(x, [-1], act='relu')
L.transpose(x, [2, 0, 1]); L.t(a); L.squeeze(one, [1]); L.squeeze(one, []); L.squeeze(one, [-1])
L.unsqueeze(x, [0, 2]); L.unsqueeze(x, -1); L.flatten(x); L.flatten(x, 0); L.flatten(x, 2)
L.concat([x, y], 1); L.concat([x, y], -1); L.stack([x, y], 1); L.stack([x, y], -1)
L.unstack(x, 1); L.split(x, 2); L.split(x, [1, -1], 1); L.expand(a, [2, 3])
L.expand_as(two, V(np.ones((4, 8)), 'float32')); L.flip(x, [0, 2]); L.roll(x, 2, 1); L.roll(x, 5)
L.meshgrid([v, p3]); L.diag_embed(a, 1); L.reverse(x, [1]); L.tril(a); L.triu(a, -1); L.tril(a, 1)
L.diag(v); L.trace(a, 1); L.trace(x, 0, 0, 2); L.cast(x, 'int64'); L.cast(x, 'float64')
L.cast(x, 'bool'); L.pad(a, [1, 0, 2, 1], 0.5); L.pad2d(img, [1, 2, 0, 3])
L.crop(x, [1, 2, 2], [1, 0, 1]); L.pad2d(img, [1, 2, 0, 3], 'reflect')
L.pad2d(img, [1, 2, 0, 3], 'edge'); L.pad_constant_like(x, V(np.ones((1, 2, 4)), 'float32'))
L.pad2d(nhwc, [1, 2, 0, 3], data_format='NHWC'); L.crop_tensor(x, [1, -1, 2], [1, 1, 0])
# picking and putting back
L.shape(x); L.rank(x); L.size(x); L.slice(x, [1, 2], [0, -3], [2, -1]); L.slice(x, [0], [1], [9])
L.strided_slice(x, [1, 2], [0, 3], [3, 0], [2, -1]); L.gather(two, V([1, 0, 1], 'int64'))
L.gather(a, rows); L.gather(a, rows, overwrite=False)
L.gather_nd(x, V([[0, 1], [1, 2], [0, 1]], 'int64')); L.gather_nd(x, V([[0, 1, 3]], 'int64'))
L.scatter(a, V([2, 0], 'int64'), two); L.scatter(a, rows, three, overwrite=False)
L.scatter_nd_add(a, V([[1], [2], [1]], 'int64'), three)
L.scatter_nd(V([[1], [3], [1]], 'int64'), three, [4, 4]); L.index_select(a, V([2, 0], 'int64'), 1)
L.index_sample(a, V([[0, 2], [1, 1], [3, 0]], 'int64'))
L.multiplex([a, c], V([[0], [1], [0]], 'int32')); L.where(yn); L.nonzero(i); L.nonzero(i, True)
L.one_hot(lab, 4); fluid.one_hot(words, 5); L.one_hot(lab, 2, True); L.topk(x, 2); L.topk(ties, 1)
L.argmax(ties); L.argmax(ties, 1); L.argmin(x, -1); L.argsort(x); L.argsort(ties, 1, True)
L.unique(V([2, 3, 3, 1, 5, 3], 'int64')); L.unique_with_counts(V([2, 3, 3, 1, 5, 3], 'int64'))
L.shard_index(V([[1], [6], [12], [19]], 'int64'), 20, 2, 1)
L.gather_tree(V([[[2, 2]], [[6, 1]], [[0, 1]]], 'int64'), V([[[0, 0]], [[1, 1]], [[0, 1]]],
    'int64'))
# making
L.fill_constant([2, 3], 'float32', 1.5); L.fill_constant([2], 'int64', 7.9)
L.fill_constant([2], 'bool', True); L.fill_constant([1], 'int64', 2 ** 53 + 1)
L.fill_constant_batch_size_like(x, [-1, 5], 'float32', 0.5)
L.fill_constant_batch_size_like(x, [7, -1], 'int64', 3, 2, 1); L.full([2], 0.3)
L.full([2], 3, dtype='int64'); L.full_like(x, 2.5); L.full_like(i, 2.5); L.ones([2], 'int32')
L.zeros([2], 'float64'); L.ones_like(i); L.zeros_like(x); L.eye(2, 3); L.eye(2, batch_shape=[2])
L.range(0, 10, 3, 'int64'); L.range(5, 0, -2, 'int64'); L.arange(1, 7, 2)
L.linspace(0, 10, 5, 'float32'); L.assign(x); L.assign(np.array([1, 2], 'int32')); L.has_inf(x)
L.has_nan(x); L.isfinite(x); L.isfinite(V([1, np.inf], 'float32'))
L.has_nan(V([np.nan], 'float32')); L.uniform_random([5], seed=3)
L.gaussian_random([5], 1.0, 2.0, seed=3); L.autoincreased_step_counter(begin=5)
L.sequence_mask(rows, 4); L.sequence_mask(rows, dtype='float32')
# losses and measures
L.cross_entropy(prob, lab); L.cross_entropy(prob, V([1, 3, 0], 'int64'))
L.cross_entropy(prob, soft, soft_label=True)
L.cross_entropy(prob, V([[1], [-100], [0]], 'int64')); L.cross_entropy(prob, lab, ignore_index=3)
L.cross_entropy(V([[1, 0], [0, 1]], 'float32'), V([[1], [1]], 'int64'))
L.softmax_with_cross_entropy(a, lab); L.softmax_with_cross_entropy(a, soft, soft_label=True)
L.softmax_with_cross_entropy(far, V([[0], [1]], 'int64'))
L.softmax_with_cross_entropy(x, V(np.ones((2, 1, 4)), 'int64'), axis=1); L.square_error_cost(a, c)
L.mse_loss(a, c); L.softmax_with_cross_entropy(a, lab, return_softmax=True)[1]
L.sigmoid_cross_entropy_with_logits(a, soft); L.bpr_loss(a, lab); L.huber_loss(col, col2, 0.5)
L.sigmoid_cross_entropy_with_logits(col, V([[1], [-1], [0]], 'float32'), -1, normalize=True)
L.log_loss(chance, yes)
L.teacher_student_sigmoid_loss(V([[1], [2], [-0.5], [0.7], [20]], 'float32'), V([[-2], [-1],
    [0.3], [1.4], [0.2]], 'float32'))
L.teacher_student_sigmoid_loss(col, yes); L.kldiv_loss(a, soft)
L.kldiv_loss(a, soft, 'batchmean'); L.kldiv_loss(a, soft, 'sum'); L.kldiv_loss(a, soft, 'none')
L.rank_loss(yes, col, col2); L.margin_rank_loss(yes * 2 - 1, col, col2)
L.npair_loss(a, c, V([0, 1, 0], 'float32')); L.smooth_l1(a, c); L.smooth_l1(a, c, soft, prob, 2.0)
L.label_smooth(soft, epsilon=0.2); L.label_smooth(soft, V([[0.1, 0.2, 0.3, 0.4]], 'float32'))
L.dice_loss(prob, lab); L.accuracy(prob, lab); L.accuracy(prob, lab, 2)
L.accuracy(ties * 0, V([[0], [1]], 'int64')); L.mean_iou(n, n * 0 + 1, 9)
L.auc(V([[0.4, 0.6], [0.7, 0.3], [0.2, 0.8]], 'float32'), V([[1], [0], [0]], 'int64'))[0]
L.chunk_eval(V([[0, 1, 4, 2, 0, 0]], 'int64'), V([[0, 1, 4, 2, 3, 0]], 'int64'), 'IOB', 2,
    seq_length=V([6], 'int64'))
L.chunk_eval(V([[0, 1, 4, 2, 1, 1]], 'int64'), V([[0, 1, 4, 1, 3, 1]], 'int64'), 'IOE', 2,
    seq_length=V([6], 'int64'))
L.chunk_eval(V([[0, 1, 2, 3, 8, 4, 6]], 'int64'), V([[0, 2, 3, 3, 8, 4, 6]], 'int64'), 'IOBES',
    2, seq_length=V([7], 'int64'))
L.chunk_eval(V([[0, 1, 2, 0, 0]], 'int64'), V([[0, 1, 1, 0, 0]], 'int64'), 'plain', 2, [1],
    seq_length=V([5], 'int64'))
L.edit_distance(V([[1, 2, 3], [4, 5, 6]], 'int64'), V([[1, 3, 3], [4, 6, 0]], 'int64'), True,
    None, V([3, 3], 'int64'), V([3, 2], 'int64'))
L.warpctc(t, V([[1, 2], [3, 0]], 'int32'), 0, True, V([4, 3], 'int64'), V([2, 1], 'int64'))
L.ctc_greedy_decoder(L.transpose(t, [1, 0, 2]), 0, V([[4], [3]], 'int64'))
L.hsigmoid(a, lab, 5, PA((4, 4)), PA((4, 1)))
L.linear_chain_crf(L.reshape(x, [1, 6, 4]), V([[1, 0, 2, 3, 3, 0]], 'int64'), PA((6, 4)),
    V([[5]], 'int64'))
L.sampled_softmax_with_cross_entropy(a, lab, 2, use_customized_samples=True,
    customized_samples=V([[1, 2, 1], [3, 0, 1], [0, 1, 2]], 'int64'),
    customized_probabilities=soft[:, :3])
# with weights of their own
L.fc(x, 3, param_attr=PA((12, 3)), bias_attr=PA((3,)), act='tanh'); L.fc(x, 3, 2, PA((4, 3)))
L.fc([a, c], 2, param_attr=PA((4, 2)), bias_attr=False)
L.embedding(lab, [5, 3], param_attr=PA((5, 3)))
fluid.embedding(words, [5, 3], padding_idx=-1, param_attr=PA((5, 3)))
L.bilinear_tensor_product(a, col, 2, param_attr=PA((2, 4, 1))); L.prelu(img, 'all')
L.prelu(img, 'channel', PA((1, 4, 1, 1)))
L.conv2d(img, 3, 3, groups=1, param_attr=PA((3, 4, 3, 3)), act='relu')
L.conv2d(img, 4, 3, 2, 'SAME', 1, 2, PA((4, 2, 3, 3)))
L.conv2d(img, 3, 3, 1, [0, 1, 2, 0], 1, 1, PA((3, 4, 3, 3)))
L.conv2d(nhwc, 3, 3, groups=1, param_attr=PA((3, 4, 3, 3)), data_format='NHWC')
L.conv2d_transpose(img, 3, filter_size=3, stride=2, padding=1, param_attr=PA((4, 3, 3, 3)))
L.conv2d_transpose(img, 3, [8, 12], stride=2, padding=1, param_attr=PA((4, 3, 4, 4)))
L.conv3d(vol, 3, 3, 1, 1, 1, 1, PA((3, 2, 3, 3, 3)))
L.conv3d_transpose(vol, 3, filter_size=2, stride=2, param_attr=PA((2, 3, 2, 2, 2)))
L.pool2d(img, 2, 'max', 2); L.pool2d(img, 3, 'avg', 2, 1)
L.pool2d(img, 3, pool_stride=2, pool_padding='SAME')
L.pool3d(vol, pool_type='avg', global_pooling=True); L.adaptive_pool2d(img, [2, 3])
L.adaptive_pool2d(img, 2, 'avg'); L.adaptive_pool2d(img, 2, 'max', True)
L.adaptive_pool3d(vol, 2, 'avg'); L.batch_norm(img, param_attr=PA((4,)), bias_attr=PA((4,)))
L.batch_norm(img, use_global_stats=True, act='relu'); L.instance_norm(img, param_attr=PA((4,)))
L.group_norm(img, 2); L.group_norm(img, 2, param_attr=PA((4,)), bias_attr=PA((4,)))
L.data_norm(a); L.l2_normalize(x, -1); L.l2_normalize(v, 3); L.lrn(img, 3)
L.affine_channel(img, p4, v); L.row_conv(steps, 2, PA((3, 3)))
L.add_position_encoding(x, 0.7, 0.3); L.gru_unit(gates, state, 9, PA((3, 9)))
L.gru_unit(gates, state, 9, PA((3, 9)), origin_mode=True)
L.lstm_unit(small, state, state, 1.0, PA((6, 12)))
L.LSTMCell(3, PA((6, 12)))(small, [state, state]); L.GRUCell(3).get_initial_states(small)
# images
L.shuffle_channel(img, 2); L.space_to_depth(img, 2); L.pixel_shuffle(img, 2)
L.temporal_shift(frames, 2, 0.25); L.unfold(img, [3, 3], 1, 1, 1)
L.affine_grid(theta, [2, 3, 2, 3]); L.grid_sampler(img, grid); L.image_resize(img, [5, 3])
L.image_resize(img, [5, 9], align_corners=False)
L.image_resize(img, [5, 9], align_corners=False, align_mode=0); L.image_resize(img, scale=2.0)
L.resize_nearest(img, [5, 9]); L.resize_nearest(img, [5, 9], align_corners=False)
L.resize_trilinear(vol, [5, 3, 6]); L.resize_trilinear(vol, [5, 3, 6], align_corners=False)
L.image_resize_short(img, 3); L.resize_bilinear(nhwc, [5, 9], data_format='NHWC')
# distributions and nets
L.Normal(v, p4).log_prob(w); L.Normal(v, p4).kl_divergence(L.Normal(w, p4))
L.Normal(0.0, 2.0).entropy(); L.Normal(0.0, 2.0).sample([3], 7); L.Uniform(0.0, 2.0).entropy()
L.Uniform(v, v + p4).log_prob(w); L.Categorical(a).entropy()
L.Categorical(a).kl_divergence(L.Categorical(c)); fluid.nets.glu(x)
fluid.nets.scaled_dot_product_attention(x, y, p)
"""


def expressions():
    lines = re.sub(r"\n +", " ", CASES).splitlines()
    lines = [line for line in lines if line and not line.startswith("#")]
    return [part.strip() for line in lines for part in re.split(r";\s", line) if part.strip()]


def flat(outs):
    return [o for out in outs for o in flat(out)] if isinstance(outs, (list, tuple)) else [outs]


def run(fluid, expression):
    """Return the outputs and gradients of one expression, by name."""
    variables = {}
    for name in sorted(set(re.findall(r"[a-z]\w*", expression)) & set(INPUTS)):
        value = fluid.dygraph.to_variable(INPUTS[name].copy())
        value.stop_gradient = INPUTS[name].dtype.kind != "f"
        variables[name] = value

    def constant(values, dtype):
        return fluid.dygraph.to_variable(np.array(values, dtype))

    def attribute(shape):
        start = fluid.initializer.NumpyArrayInitializer(floats(99, *shape, low=-1.0, high=1.0))
        return fluid.ParamAttr(initializer=start)

    space = {"L": fluid.layers, "fluid": fluid, "np": np, "V": constant, "PA": attribute}
    outs = flat(eval(expression, dict(space, **variables)))
    result = collections.OrderedDict()
    terms = []
    for k, out in enumerate(outs):
        array = out.numpy()
        result[f"out{k}"] = array
        if array.dtype.kind == "f" and not out.stop_gradient:
            weight = np.random.RandomState(1000 + k).uniform(0.5, 1.5, array.shape)
            weight = fluid.dygraph.to_variable(weight.astype(array.dtype))
            terms.append(fluid.layers.cast(fluid.layers.reduce_sum(out * weight), "float32"))
    if terms:
        fluid.layers.sums(terms).backward()
    for name, value in variables.items():
        if INPUTS[name].dtype.kind == "f" and value.gradient() is not None:
            result["grad " + name] = value.gradient()
    return result


def main(path):
    import paddle.fluid as fluid

    arrays = {}
    for expression in expressions():
        with fluid.dygraph.guard(fluid.CPUPlace()):
            for name, array in run(fluid, expression).items():
                arrays[f"{expression}|{name}"] = array
    np.savez_compressed(path, **arrays)


if __name__ == "__main__":
    main(sys.argv[1])

"""Operators run by their names, alike under Paddle 1.8.5 and under refluid.

    python3.7-with-paddle cases.py recordings.npz

Each case is (operator, inputs, attributes, outputs): inputs by slot, an array or a list of them;
outputs by slot, how many variables each receives, or the input that is written to. What is
recorded are the outputs, and the gradients of the float inputs when the first output runs backward.
Python 3.7 must read this.
"""

import sys
from collections import OrderedDict

import numpy as np

CASES = OrderedDict()


def f(seed, *shape, low=-1.0, high=1.0):
    return np.random.RandomState(seed).uniform(low, high, shape).astype("float32")


def n(seed, high, *shape, dtype="int64"):
    return np.random.RandomState(seed).randint(0, high, shape).astype(dtype)


def add(op, inputs, attrs=None, outputs="Out", name=None):
    if isinstance(outputs, str):
        # "MeanOut=Mean" writes the output over that input
        words = (word.split("=") for word in outputs.split())
        outputs = OrderedDict((word[0], word[1] if len(word) > 1 else 1) for word in words)
    key = op if name is None else op + "/" + name
    assert key not in CASES, key
    CASES[key] = (op, inputs, attrs or {}, outputs)


X = f(1, 3, 4)
Y = f(2, 3, 4)
POSITIVE = f(3, 3, 4, low=0.2, high=2.0)
IMAGE = f(4, 2, 4, 6, 6)
VOLUME = f(5, 1, 2, 4, 4, 4)
CHANCES = (lambda e: (e / e.sum(1, keepdims=True)).astype("float32"))(np.exp(f(6, 3, 4)))
BOOLS = np.array([[True, False, True], [False, False, True]])

# --- element by element -------------------------------------------------------------------------
for op in (
    "abs atan ceil cos erf exp floor logsigmoid relu round sigmoid sign sin softplus softsign "
    "square tanh tanh_shrink isfinite isinf isnan is_empty"
).split():
    add(op, {"X": X * 3})
for op in "acos asin".split():
    add(op, {"X": X})
for op in "log log1p reciprocal rsqrt sqrt".split():
    add(op, {"X": POSITIVE})
for op, attrs in (
    ("brelu", {"t_min": -0.5, "t_max": 1.5}),
    ("elu", {"alpha": 0.7}),
    ("gelu", {"approximate": True}),
    ("hard_shrink", {"threshold": 0.8}),
    ("hard_sigmoid", {"slope": 0.3, "offset": 0.4}),
    ("hard_swish", {"threshold": 5.0, "scale": 4.0, "offset": 2.0}),
    ("leaky_relu", {"alpha": 0.3}),
    ("mish", {"threshold": 20.0}),
    ("relu6", {"threshold": 1.5}),
    ("selu", {"scale": 1.2, "alpha": 1.5}),
    ("soft_relu", {"threshold": 2.0}),
    ("softmax", {"axis": 0}),
    ("softshrink", {"lambda": 0.8}),
    ("stanh", {"scale_a": 0.5, "scale_b": 1.3}),
    ("swish", {"beta": 1.7}),
    ("thresholded_relu", {"threshold": 0.6}),
    ("cumsum", {"axis": 0, "exclusive": True, "reverse": True}),
    ("clip", {"min": -0.5, "max": 1.0}),
    ("clip_by_norm", {"max_norm": 1.5}),
    ("increment", {"step": 2.5}),
    ("pow", {"factor": 2.0}),
    ("scale", {"scale": 2.0, "bias": 0.5, "bias_after_scale": False}),
    ("dropout", {"dropout_prob": 0.3, "is_test": True}),
):
    x = X * 3 if op != "increment" else X[:1, :1].reshape(1)
    outputs = "Out Mask" if op == "dropout" else "Out"
    add(op, {"X": x}, attrs, outputs)
    if op not in ("clip", "clip_by_norm", "dropout"):
        add(op, {"X": x}, {}, outputs, "defaults")
add("dropout", {"X": X}, {"dropout_prob": 0.4, "fix_seed": True, "seed": 7}, "Out Mask", "seeded")
add(
    "dropout",
    {"X": X, "Seed": np.array([5], "int32")},
    {"dropout_prob": 0.4, "dropout_implementation": "upscale_in_train"},
    "Out Mask",
    "tensor",
)
add("maxout", {"X": IMAGE}, {"groups": 2, "axis": 1})
add("prelu", {"X": IMAGE, "Alpha": f(7, 1, 4, 1, 1)}, {"mode": "channel"})
add("pow", {"X": POSITIVE, "FactorTensor": np.array([1.5], "float32")}, {}, "Out", "tensor")
add("scale", {"X": X, "ScaleTensor": np.array([1.5], "float32")}, {"bias": 1.0}, "Out", "tensor")
for op in "add div max min mul sub".split():
    add("elementwise_" + op, {"X": IMAGE, "Y": f(8, 4, low=0.5)}, {"axis": 1})
    add("elementwise_" + op, {"X": X, "Y": Y + 2}, {}, "Out", "defaults")
add("elementwise_pow", {"X": POSITIVE, "Y": Y})
for op in "mod floordiv".split():
    add("elementwise_" + op, {"X": n(9, 20, 3, 4), "Y": n(10, 5, 3, 4) + 1})
for op in "equal not_equal less_than less_equal greater_than greater_equal".split():
    add(op, {"X": n(11, 3, 3, 4), "Y": n(12, 3, 3, 4)})
for op in "logical_and logical_or logical_xor".split():
    add(op, {"X": BOOLS, "Y": BOOLS[::-1].copy()})
add("logical_not", {"X": BOOLS})
add("minus", {"X": X, "Y": Y})
add("equal_reduce", {"X": n(9, 20, 3, 4), "Y": n(9, 20, 3, 4)}, {"axis": -1})
add("sum", {"X": [X, Y, POSITIVE]})
add("squared_l2_norm", {"X": X})
add("l1_norm", {"X": X})

# --- layout -------------------------------------------------------------------------------------
for op, extra in (("reshape", ""), ("reshape2", " XShape")):
    add(op, {"X": X}, {"shape": [0, 2, -1]}, "Out" + extra)
    add(op, {"X": X, "Shape": np.array([4, 3], "int32")}, {}, "Out" + extra, "tensor")
for op, extra in (("transpose", ""), ("transpose2", " XShape")):
    add(op, {"X": IMAGE}, {"axis": [0, 2, 3, 1]}, "Out" + extra)
for op, extra in (("squeeze", ""), ("squeeze2", " XShape")):
    add(op, {"X": f(13, 1, 3, 1)}, {"axes": [0]}, "Out" + extra)
for op, extra in (("unsqueeze", ""), ("unsqueeze2", " XShape")):
    add(op, {"X": X}, {"axes": [0, 2]}, "Out" + extra)
for op, extra in (("flatten", ""), ("flatten2", " XShape")):
    add(op, {"X": IMAGE}, {"axis": 2}, "Out" + extra)
add("cast", {"X": X * 9}, {"in_dtype": 5, "out_dtype": 2})
add("concat", {"X": [X, Y]}, {"axis": 1})
add("concat", {"X": [X, Y], "AxisTensor": np.array([1], "int32")}, {}, "Out", "tensor")
add("diag", {"Diagonal": X[0]})
add("diag_embed", {"Input": X}, {"offset": 1, "dim1": 0, "dim2": 2})
add("expand", {"X": X}, {"expand_times": [2, 1]})
add("expand_as", {"X": X, "target_tensor": f(14, 6, 4)})
add("flip", {"X": X}, {"dims": [1]})
add("meshgrid", {"X": [X[0], Y[:, 0]]}, {}, {"Out": 2})
add("pad", {"X": X}, {"paddings": [1, 0, 0, 2], "pad_value": 0.5})
add("pad2d", {"X": IMAGE}, {"paddings": [1, 2, 0, 1], "mode": "reflect"})
add("pad_constant_like", {"X": f(15, 4, 5), "Y": X}, {"pad_value": 2.0})
add("reverse", {"X": X}, {"axis": [0]})
add("roll", {"X": X}, {"shifts": [1], "dims": [1]})
add("stack", {"X": [X, Y]}, {"axis": 1}, "Y")
add("unbind", {"X": X}, {"axis": 0}, {"Out": 3})
add("unstack", {"X": X}, {"axis": 1, "num": 4}, {"Y": 4})
add("split", {"X": X}, {"num": 2, "axis": 1}, {"Out": 2})
add("split", {"X": X}, {"sections": [1, -1], "axis": 1}, {"Out": 2}, "sections")
add("crop", {"X": X}, {"shape": [2, 2], "offsets": [1, 1]})
add("crop_tensor", {"X": X}, {"shape": [2, 2], "offsets": [1, 1]})
add("slice", {"Input": IMAGE}, {"axes": [0, 2], "starts": [1, 1], "ends": [2, 4]})
add(
    "slice",
    {"Input": IMAGE},
    {"axes": [0], "starts": [1], "ends": [2], "decrease_axis": [0]},
    "Out",
    "decrease",
)
add(
    "strided_slice",
    {"Input": X},
    {"axes": [1], "starts": [0], "ends": [4], "strides": [3], "infer_flags": [1]},
)
add("partial_concat", {"X": [X, Y]}, {"start_index": 1, "length": 2})
add("partial_sum", {"X": [X, Y]}, {"start_index": 1, "length": 2})

# --- selection ----------------------------------------------------------------------------------
add("arg_max", {"X": X}, {"axis": 1})
add("arg_max", {"X": X}, {"axis": -1, "keepdims": True, "dtype": 2}, "Out", "settings")
add("arg_min", {"X": X}, {"axis": 0})
add("argsort", {"X": X}, {"axis": 0, "descending": True}, "Out Indices")
add("gather", {"X": X, "Index": n(16, 3, 5)})
add("gather_nd", {"X": X, "Index": n(17, 3, 5, 2)})
add("index_sample", {"X": X, "Index": n(18, 4, 3, 2)})
add("index_select", {"X": X, "Index": n(19, 3, 5)}, {"dim": 1})
add("multiplex", {"Ids": n(20, 2, 3, 1, dtype="int32"), "X": [X, Y]})
add("one_hot", {"X": n(21, 4, 3, 1)}, {"depth": 4})
add("one_hot_v2", {"X": n(21, 4, 3)}, {"depth": 5, "dtype": 3})
add("scatter", {"X": X, "Ids": np.array([2, 0]), "Updates": f(22, 2, 4)})
add("scatter_nd_add", {"X": X, "Index": n(23, 3, 4, 1), "Updates": f(24, 4, 4)})
add("shape", {"Input": IMAGE})
add("size", {"Input": IMAGE})
add("shard_index", {"X": n(25, 20, 4, 1)}, {"index_num": 20, "nshards": 2, "shard_id": 1})
add("top_k", {"X": X}, {"k": 2}, "Out Indices")
add("unique", {"X": n(26, 4, 8)}, {"dtype": 2}, "Out Index")
add("unique_with_counts", {"X": n(26, 4, 8)}, {"dtype": 3}, "Out Index Count")
add("where", {"Condition": BOOLS, "X": f(27, 2, 3), "Y": f(28, 2, 3)})
add("where_index", {"Condition": BOOLS})
add("lookup_table", {"W": f(29, 5, 3), "Ids": n(30, 5, 4, 1)})
add("lookup_table_v2", {"W": f(29, 5, 3), "Ids": n(30, 5, 4, 2)}, {"padding_idx": 1})

# --- making -------------------------------------------------------------------------------------
add("assign", {"X": X})
add("assign_value", {}, {"shape": [2, 2], "dtype": 5, "fp32_values": [1.5, 2.0, -3.0, 4.0]})
add("assign_value", {}, {"shape": [2], "dtype": 3, "int64_values": [7, -8]}, "Out", "int64")
add("eye", {}, {"num_rows": 2, "num_columns": 3})
add("fill", {}, {"value": [1.0, 2.0, 3.0, 4.0], "shape": [2, 2], "dtype": 2})
add("fill_any_like", {"X": X}, {"value": 1.5})
add("fill_any_like", {"X": X}, {"value": 2.0, "dtype": 3}, "Out", "int64")
add("fill_constant", {}, {"shape": [2, 3], "dtype": 6, "value": 2.5})
add("fill_constant", {}, {"shape": [1], "dtype": 3, "str_value": "9007199254740993"}, "Out", "text")
add("fill_constant_batch_size_like", {"Input": X}, {"shape": [-1, 2], "value": 3.0, "dtype": 2})
add("fill_zeros_like", {"X": X})
add("fill_zeros_like2", {"X": X}, {"dtype": 5})
one = lambda v, d="float32": np.array([v], d)  # noqa: E731
add("linspace", {"Start": one(1), "Stop": one(2), "Num": one(5, "int32")})
add("range", {"Start": one(1), "End": one(7), "Step": one(2)})
add("gaussian_random", {}, {"shape": [2, 3], "mean": 1.0, "std": 2.0, "seed": 5, "dtype": 5})
add("uniform_random", {}, {"shape": [2, 3], "min": -2.0, "max": 3.0, "seed": 5, "dtype": 5})
add("truncated_gaussian_random", {}, {"shape": [2, 3], "std": 2.0, "seed": 5, "dtype": 5})
add(
    "uniform_random_batch_size_like",
    {"Input": X},
    {"shape": [2, 9], "input_dim_idx": 1, "output_dim_idx": 0, "seed": 3},
)
add("gaussian_random_batch_size_like", {"Input": X}, {"shape": [9, 2], "seed": 3})
add("seed", {}, {"seed": 11})

# --- reduction ----------------------------------------------------------------------------------
for op in "max mean min prod sum".split():
    add("reduce_" + op, {"X": X}, {"dim": [1], "keep_dim": True})
    add("reduce_" + op, {"X": X}, {}, "Out", "defaults")
    add("reduce_" + op, {"X": X}, {"reduce_all": True}, "Out", "all")
add("reduce_sum", {"X": n(11, 3, 3, 4)}, {"in_dtype": 3, "out_dtype": 5}, "Out", "type")
for op in "all any".split():
    add("reduce_" + op, {"X": BOOLS}, {"dim": [0]})
add("allclose", {"Input": X, "Other": X + 1e-3}, {"atol": 1e-2})
add("dist", {"X": X, "Y": Y}, {"p": 3.0})
add("mean", {"X": X})
add("trace", {"Input": IMAGE}, {"offset": 1})
add("frobenius_norm", {"X": X}, {"reduce_all": True})
add("frobenius_norm", {"X": IMAGE}, {"dim": [2, 3], "keep_dim": True}, "Out", "images")
add("p_norm", {"X": X}, {"porder": 3.0, "axis": 0})
add("p_norm", {"X": X}, {"keepdim": True}, "Out", "defaults")

# --- products -----------------------------------------------------------------------------------
add("addmm", {"Input": f(31, 3, 5), "X": X, "Y": f(32, 4, 5)}, {"Alpha": 0.5, "Beta": 2.0})
add(
    "bilinear_tensor_product",
    {"X": X, "Y": f(33, 3, 5), "Weight": f(34, 2, 4, 5), "Bias": f(35, 1, 2)},
)
add("bmm", {"X": f(36, 2, 3, 4), "Y": f(37, 2, 4, 5)})
add("cos_sim", {"X": X, "Y": Y}, {}, "Out XNorm YNorm")
add("cross", {"X": f(38, 4, 3), "Y": f(39, 4, 3)})
add("cross", {"X": f(38, 3, 3), "Y": f(39, 3, 3)}, {"dim": 1}, "Out", "dim")
add("dot", {"X": X, "Y": Y})
add("fsp", {"X": IMAGE, "Y": f(40, 2, 3, 6, 6)})
add("kron", {"X": X, "Y": f(41, 2, 2)})
add("matmul", {"X": X, "Y": Y}, {"transpose_Y": True, "alpha": 2.0})
add("mul", {"X": f(42, 2, 3, 4), "Y": f(43, 4, 5)}, {"x_num_col_dims": 2})
add("fc", {"Input": X, "W": f(44, 4, 5), "Bias": f(45, 1, 5)}, {"activation_type": "relu"})
add("tril_triu", {"X": X}, {"lower": True, "diagonal": 1})
add("conv_shift", {"X": X, "Y": f(46, 3, 3)})
add("cvm", {"X": POSITIVE, "CVM": f(47, 3, 2, low=0.5)}, {"use_cvm": True}, "Y")
add("row_conv", {"X": f(48, 2, 5, 3), "Filter": f(49, 3, 3)})
add(
    "tree_conv",
    {
        "NodesVector": f(50, 1, 4, 3),
        "EdgeSet": np.array([[[1, 2], [1, 3], [2, 4]]], "int32"),
        "Filter": f(51, 3, 3, 2, 1),
    },
    {"max_depth": 2},
)

# --- images -------------------------------------------------------------------------------------
FILTER = f(52, 6, 2, 3, 3)
SETTINGS = {"strides": [2, 1], "paddings": [1, 1], "groups": 2, "data_format": "NCHW"}
add("conv2d", {"Input": IMAGE, "Filter": FILTER}, SETTINGS, "Output")
add(
    "conv2d",
    {"Input": IMAGE, "Filter": f(53, 3, 4, 3, 3)},
    {"padding_algorithm": "SAME"},
    "Output",
    "same",
)
add(
    "depthwise_conv2d",
    {"Input": IMAGE, "Filter": f(54, 4, 1, 3, 3)},
    {"groups": 4, "paddings": [1, 1]},
    "Output",
)
add("conv3d", {"Input": VOLUME, "Filter": f(55, 3, 2, 2, 2, 2)}, {"strides": [2, 1, 1]}, "Output")
BACK = {"strides": [2, 2], "output_size": [12, 12], "paddings": [1, 1]}
add("conv2d_transpose", {"Input": IMAGE, "Filter": f(56, 4, 3, 3, 3)}, BACK, "Output")
add(
    "depthwise_conv2d_transpose",
    {"Input": IMAGE, "Filter": f(57, 4, 1, 3, 3)},
    {"groups": 4, "strides": [2, 2]},
    "Output",
)
add("conv3d_transpose", {"Input": VOLUME, "Filter": f(58, 2, 3, 2, 2, 2)}, {}, "Output")
for kind in ("max", "avg"):
    add(
        "pool2d",
        {"X": IMAGE},
        {"pooling_type": kind, "ksize": [3, 2], "strides": [2, 2], "paddings": [1, 0]},
        "Out",
        kind,
    )
    add(
        "pool3d",
        {"X": VOLUME},
        {"pooling_type": kind, "ksize": [2, 2, 2], "global_pooling": kind == "avg"},
        "Out",
        kind,
    )
add(
    "pool2d",
    {"X": IMAGE},
    {"pooling_type": "avg", "ksize": [2, 3], "adaptive": True},
    "Out",
    "adaptive",
)
add(
    "max_pool2d_with_index",
    {"X": IMAGE},
    {"ksize": [2, 2], "strides": [2, 2]},
    "Out Mask",
)
add("max_pool2d_with_index", {"X": IMAGE}, {"ksize": [2, 3], "adaptive": True}, "Out Mask", "sizes")
add("max_pool3d_with_index", {"X": VOLUME}, {"ksize": [2, 2, 2]}, "Out Mask")
add(
    "unpool",
    {"X": f(59, 1, 2, 2, 2), "Indices": np.array([[[[0, 3], [9, 14]]] * 2], "int32")},
    {"ksize": [2, 2], "strides": [2, 2], "unpooling_type": "max"},
)
for method, op, x in (
    ("bilinear", "bilinear_interp", IMAGE),
    ("bicubic", "bicubic_interp", IMAGE),
    ("nearest", "nearest_interp", IMAGE),
    ("trilinear", "trilinear_interp", VOLUME),
):
    attrs = {"interp_method": method, "out_d": 7, "out_h": 9, "out_w": 5}
    add(op, {"X": x}, attrs)
    attrs = {"interp_method": method, "scale": 1.5, "align_corners": False}
    if op != "trilinear_interp":
        add(op, {"X": x}, attrs, "Out", "scale")
add(
    "affine_channel",
    {"X": IMAGE, "Scale": f(60, 4), "Bias": f(61, 4)},
    {"data_layout": "NCHW"},
)
add("affine_grid", {"Theta": f(62, 2, 2, 3)}, {"output_shape": [2, 3, 4, 5]}, "Output")
add("grid_sampler", {"X": IMAGE, "Grid": f(63, 2, 6, 6, 2)}, {}, "Output")
add("pixel_shuffle", {"X": IMAGE}, {"upscale_factor": 2})
add("shuffle_channel", {"X": IMAGE}, {"group": 2})
add("space_to_depth", {"X": IMAGE}, {"blocksize": 2})
add("temporal_shift", {"X": IMAGE}, {"seg_num": 2, "shift_ratio": 0.25})
add(
    "unfold",
    {"X": IMAGE},
    {"kernel_sizes": [2, 2], "strides": [2, 2], "paddings": [0, 0, 0, 0], "dilations": [1, 1]},
    "Y",
)

# --- normalization ------------------------------------------------------------------------------
SCALE, BIAS, MEAN, VARIANCE = f(64, 4), f(65, 4), f(66, 4), f(67, 4, low=0.5)
INTO = "Y MeanOut=Mean VarianceOut=Variance SavedMean SavedVariance"
SUMS = {"X": IMAGE, "Scale": SCALE, "Bias": BIAS, "Mean": MEAN, "Variance": VARIANCE}
add("batch_norm", SUMS, {"momentum": 0.8}, INTO)
add("batch_norm", SUMS, {"is_test": True}, INTO, "test")
add("batch_norm", SUMS, {"use_global_stats": True}, INTO, "global")
add("inplace_abn", SUMS, {"activation": "leaky_relu", "alpha": 0.2}, INTO.replace("Y", "Y=X", 1))
add(
    "data_norm",
    {
        "X": X,
        "BatchSize": np.full(4, 50, "float32"),
        "BatchSum": f(68, 4),
        "BatchSquareSum": f(69, 4, low=20, high=40),
    },
    {},
    "Y Means Scales",
)
add("group_norm", {"X": IMAGE, "Scale": SCALE, "Bias": BIAS}, {"groups": 2}, "Y Mean Variance")
add(
    "instance_norm",
    {"X": IMAGE, "Scale": SCALE, "Bias": BIAS},
    {"epsilon": 1e-4},
    "Y SavedMean SavedVariance",
)
add("layer_norm", {"X": X, "Scale": SCALE, "Bias": BIAS}, {}, "Y Mean Variance")
add("layer_norm", {"X": IMAGE}, {"begin_norm_axis": 2}, "Y Mean Variance", "plain")
add("lrn", {"X": IMAGE}, {"n": 3, "alpha": 0.01}, "Out MidOut")
add("norm", {"X": X}, {"axis": 1}, "Out Norm")
add("spectral_norm", {"Weight": X, "U": f(70, 3), "V": f(71, 4)}, {"power_iters": 2})

# --- losses -------------------------------------------------------------------------------------
LABEL = n(72, 4, 3, 1)
YES = (f(73, 3, 1) > 0).astype("float32")
COLUMN = f(74, 3, 1, low=0.1, high=0.9)
add("bce_loss", {"X": COLUMN, "Label": YES})
add("bpr_loss", {"X": X, "Label": LABEL}, {}, "Y")
add("cross_entropy", {"X": CHANCES, "Label": LABEL}, {"ignore_index": 1}, "Y")
add("cross_entropy", {"X": CHANCES, "Label": CHANCES}, {"soft_label": True}, "Y", "soft")
add("cross_entropy2", {"X": CHANCES, "Label": LABEL}, {}, "Y XShape MatchX")
add("hinge_loss", {"Logits": f(75, 3, 1) * 2, "Labels": YES}, {}, "Loss")
add("huber_loss", {"X": COLUMN, "Y": f(76, 3, 1) * 2}, {"delta": 0.5}, "Out Residual")
add("kldiv_loss", {"X": X, "Target": CHANCES}, {"reduction": "batchmean"}, "Loss")
add("label_smooth", {"X": CHANCES}, {"epsilon": 0.2})
add("label_smooth", {"X": X, "PriorDist": CHANCES[:1]}, {"epsilon": 0.2}, "Out", "prior")
add("log_loss", {"Predicted": COLUMN, "Labels": YES}, {"epsilon": 1e-3}, "Loss")
add(
    "margin_rank_loss",
    {"X1": COLUMN, "X2": f(77, 3, 1), "Label": YES * 2 - 1},
    {"margin": 0.3},
    "Out Activated",
)
add("modified_huber_loss", {"X": f(78, 3, 1) * 3, "Y": YES}, {}, "Out IntermediateVal")
add("nll_loss", {"X": X, "Label": LABEL[:, 0], "Weight": f(79, 4, low=0.2)}, {}, "Out Total_weight")
add("rank_loss", {"Label": YES, "Left": COLUMN, "Right": f(80, 3, 1)})
add(
    "sigmoid_cross_entropy_with_logits",
    {"X": X, "Label": CHANCES},
    {"normalize": True},
)
add(
    "smooth_l1_loss",
    {"X": X, "Y": Y, "InsideWeight": POSITIVE, "OutsideWeight": CHANCES},
    {"sigma": 1.5},
    "Out Diff",
)
add("softmax_with_cross_entropy", {"Logits": X, "Label": LABEL}, {}, "Loss Softmax")
add(
    "softmax_with_cross_entropy",
    {"Logits": X, "Label": CHANCES},
    {"soft_label": True},
    "Loss Softmax",
    "soft",
)
add("squared_l2_distance", {"X": X, "Y": Y}, {}, "Out sub_result")
add("teacher_student_sigmoid_loss", {"X": COLUMN, "Label": f(81, 3, 1) * 2}, {}, "Y")
add(
    "hierarchical_sigmoid",
    {"X": X, "W": f(82, 4, 4), "Label": n(83, 5, 3, 1), "Bias": f(84, 4, 1)},
    {"num_classes": 5},
    "Out PreOut W_Out",
)

# --- measures and sequences ---------------------------------------------------------------------
add(
    "accuracy",
    {"Out": X[:, :2], "Indices": n(85, 4, 3, 2), "Label": n(86, 4, 3, 1)},
    {},
    "Accuracy Correct Total",
)
TAGS = n(87, 7, 2, 6)
add(
    "chunk_eval",
    {"Inference": TAGS, "Label": n(88, 7, 2, 6), "SeqLength": np.array([6, 4])},
    {"num_chunk_types": 3, "chunk_scheme": "IOB"},
    "Precision Recall F1-Score NumInferChunks NumLabelChunks NumCorrectChunks",
)
add(
    "mean_iou",
    {"Predictions": n(89, 3, 8, dtype="int32"), "Labels": n(90, 3, 8, dtype="int32")},
    {"num_classes": 3},
    "OutMeanIou OutWrong OutCorrect",
)
add(
    "edit_distance",
    {
        "Hyps": n(91, 4, 2, 5),
        "Refs": n(92, 4, 2, 4),
        "HypsLength": np.array([5, 3]),
        "RefsLength": np.array([4, 2]),
    },
    {"normalized": True},
    "Out SequenceNum",
)
add("add_position_encoding", {"X": f(93, 2, 3, 4)}, {"alpha": 0.5, "beta": 2.0})
add("gather_tree", {"Ids": n(94, 9, 3, 2, 2), "Parents": n(95, 2, 3, 2, 2)})
add("sequence_mask", {"X": np.array([1, 3, 2])}, {"out_dtype": 5}, "Y")
add("sequence_mask", {"X": np.array([1, 3, 2])}, {"out_dtype": 3, "maxlen": 5}, "Y", "maxlen")
add(
    "warpctc",
    {
        "Logits": f(96, 5, 2, 4),
        "Label": n(97, 3, 2, 2, dtype="int32") + 1,
        "LogitsLength": np.array([5, 4]),
        "LabelLength": np.array([2, 1]),
    },
    {"blank": 0},
    "Loss WarpCTCGrad",
)
add("lstm_unit", {"X": f(98, 2, 12), "C_prev": f(99, 2, 3)}, {"forget_bias": 0.5}, "H C")
add(
    "gru_unit",
    {
        "Input": f(100, 2, 9),
        "HiddenPrev": f(101, 2, 3),
        "Weight": f(102, 3, 9),
        "Bias": f(103, 1, 9),
    },
    {"origin_mode": True},
    "Hidden Gate ResetHiddenPrev",
)
CRF = {
    "Emission": f(104, 2, 5, 3),
    "Transition": f(105, 5, 3),
    "Label": n(106, 3, 2, 5),
    "Length": np.array([[5], [3]]),
}
add("linear_chain_crf", CRF, {}, "LogLikelihood Alpha EmissionExps TransitionExps")
add("crf_decoding", {k: v for k, v in CRF.items() if k != "Label"}, {}, "ViterbiPath")
add("crf_decoding", CRF, {}, "ViterbiPath", "right")
PREDICT = {
    "Predict": np.array([[0.3, 0.7], [0.6, 0.4], [0.2, 0.8], [0.9, 0.1]], "float32"),
    "Label": np.array([[1], [0], [0], [1]]),
}
AREA = "AUC StatPosOut StatNegOut"
COUNTS = {"StatPos": np.array([[1, 0, 1, 0]]), "StatNeg": np.array([[0, 1, 1, 0]])}
add("auc", dict(PREDICT, **COUNTS), {"num_thresholds": 3, "slide_steps": 0}, AREA)
RING = {
    "StatPos": np.array([1, 0, 1, 0, 1, 0, 1, 0, 2, 0, 2, 0, 2]),
    "StatNeg": np.array([0, 1, 1, 0, 0, 1, 1, 0, 0, 2, 2, 0, 2]),
}
add("auc", dict(PREDICT, **RING), {"num_thresholds": 3, "slide_steps": 2}, AREA, "ring")
add(
    "center_loss",
    {
        "X": f(140, 4, 2),
        "Label": np.array([[0], [2], [0], [1]]),
        "Centers": f(141, 3, 2),
        "CenterUpdateRate": one(0.1),
    },
    {"cluster_num": 3, "need_update": True},
    "Loss CentersOut SampleCenterDiff",
)
add(
    "ctc_align",
    {"Input": n(107, 3, 2, 6, dtype="int32"), "InputLength": np.array([[6], [4]], "int32")},
    {"padding_value": 9},
    "Output OutputLength",
)

# --- detection ----------------------------------------------------------------------------------
BOXES = np.array([[0.1, 0.1, 0.5, 0.6], [0.2, 0.2, 0.6, 0.9], [0.4, 0.0, 0.9, 0.5]], "float32")
MAP = f(120, 1, 2, 3, 3)
ANCHORS = {
    "anchor_sizes": [32.0, 64.0],
    "aspect_ratios": [0.5, 1.0],
    "variances": [0.1, 0.1, 0.2, 0.2],
    "stride": [8.0, 8.0],
}
add("anchor_generator", {"Input": MAP}, ANCHORS, "Anchors Variances")
PRIORS = {
    "min_sizes": [4.0],
    "max_sizes": [8.0],
    "aspect_ratios": [1.0, 2.0],
    "variances": [0.1, 0.1, 0.2, 0.2],
    "flip": True,
    "clip": True,
    "step_w": 0.0,
    "step_h": 0.0,
}
SCREEN = f(121, 1, 3, 12, 15)
add("prior_box", {"Input": MAP, "Image": SCREEN}, PRIORS, "Boxes Variances")
DENSE = {
    "fixed_sizes": [4.0, 8.0],
    "fixed_ratios": [1.0],
    "densities": [2, 1],
    "variances": [0.1, 0.1, 0.2, 0.2],
    "clip": False,
}
add("density_prior_box", {"Input": MAP, "Image": SCREEN}, DENSE, "Boxes Variances")
add(
    "bipartite_match",
    {"DistMat": f(122, 3, 4, low=0.0)},
    {},
    "ColToRowMatchIndices ColToRowMatchDist",
)
add(
    "box_coder",
    {"PriorBox": BOXES, "TargetBox": BOXES[::-1].copy()},
    {"code_type": "encode_center_size", "variance": [0.1, 0.1, 0.2, 0.2]},
    "OutputBox",
)
add("iou_similarity", {"X": BOXES, "Y": BOXES[:2]}, {"box_normalized": False})
add("polygon_box_transform", {"Input": f(123, 1, 8, 2, 2)}, {}, "Output")
REGIONS = np.array([[0.0, 0.0, 3.0, 3.0], [1.0, 1.0, 5.0, 4.0], [2.0, 0.0, 5.0, 5.0]], "float32")
ROIS = {"X": IMAGE, "ROIs": REGIONS, "RoisLod": np.array([0, 2, 3])}
SIZES = {"pooled_height": 2, "pooled_width": 2, "spatial_scale": 1.0}
add("roi_align", ROIS, dict(SIZES, sampling_ratio=2))
add("roi_pool", ROIS, SIZES, "Out Argmax")
NMS = {"score_threshold": 0.1, "nms_top_k": 10, "keep_top_k": 5, "background_label": -1}
SCORES = f(124, 1, 2, 3, low=0.0)
add("multiclass_nms", {"BBoxes": BOXES[None], "Scores": SCORES}, NMS)
add(
    "matrix_nms",
    {"BBoxes": BOXES[None], "Scores": SCORES},
    dict(NMS, post_threshold=0.05),
    "Out Index",
)
add(
    "yolo_box",
    {"X": f(125, 1, 14, 3, 3), "ImgSize": np.array([[96, 96]], "int32")},
    {"class_num": 2, "anchors": [10, 13, 16, 30], "conf_thresh": 0.3, "downsample_ratio": 32},
    "Boxes Scores",
)
add(
    "yolov3_loss",
    {
        "X": f(126, 1, 14, 3, 3),
        "GTBox": np.array([[[0.4, 0.5, 0.3, 0.2], [0.7, 0.2, 0.1, 0.3]]], "float32"),
        "GTLabel": np.array([[1, 0]], "int32"),
    },
    {
        "class_num": 2,
        "anchors": [10, 13, 16, 30, 33, 23],
        "anchor_mask": [0, 1],
        "ignore_thresh": 0.5,
        "downsample_ratio": 32,
        "use_label_smooth": False,
    },
    "Loss ObjectnessMask GTMatchMask",
)
add(
    "sigmoid_focal_loss",
    {"X": X, "Label": n(127, 5, 3, 1, dtype="int32"), "FgNum": np.array([2], "int32")},
)
add(
    "deformable_conv",
    {
        "Input": f(128, 1, 2, 4, 4),
        "Offset": f(129, 1, 18, 2, 2),
        "Mask": f(130, 1, 9, 2, 2, low=0.0),
        "Filter": f(131, 3, 2, 3, 3),
    },
    {"im2col_step": 1},
    "Output",
)
add(
    "deformable_conv_v1",
    {"Input": f(128, 1, 2, 4, 4), "Offset": f(129, 1, 18, 2, 2), "Filter": f(131, 3, 2, 3, 3)},
    {"im2col_step": 1},
    "Output",
)
add("hash", {"X": n(132, 9, 4, 2)}, {"num_hash": 2, "mod_by": 1000})

# --- optimizers ---------------------------------------------------------------------------------
PARAM, GRAD = f(110, 2, 3), f(111, 2, 3)
FIRST, SECOND = f(112, 2, 3, low=0.1, high=0.5), f(113, 2, 3, low=0.1, high=0.5)
RATE = one(0.1)
STEP = {"Param": PARAM, "Grad": GRAD, "LearningRate": RATE}
POWERS = {"Beta1Pow": one(0.81), "Beta2Pow": one(0.998)}
add("sgd", STEP, {}, "ParamOut")
for nesterov in (False, True):
    add(
        "momentum",
        dict(STEP, Velocity=FIRST),
        {"mu": 0.9, "use_nesterov": nesterov},
        "ParamOut VelocityOut",
        "nesterov" if nesterov else None,
    )
add("lars_momentum", dict(STEP, Velocity=FIRST), {"mu": 0.9}, "ParamOut VelocityOut")
MOMENTS = dict(STEP, Moment1=FIRST, Moment2=SECOND, **POWERS)
add(
    "adam",
    MOMENTS,
    {"beta1": 0.8, "epsilon": 1e-2},
    "ParamOut Moment1Out Moment2Out Beta1PowOut Beta2PowOut",
)
add("lamb", MOMENTS, {"weight_decay": 0.02}, "ParamOut Moment1Out Moment2Out")
add(
    "adamax",
    dict(STEP, Moment=FIRST, InfNorm=SECOND, Beta1Pow=one(0.81)),
    {},
    "ParamOut MomentOut InfNormOut",
)
add("adagrad", dict(STEP, Moment=FIRST), {}, "ParamOut MomentOut")
add("decayed_adagrad", dict(STEP, Moment=FIRST), {"decay": 0.7}, "ParamOut MomentOut")
add(
    "adadelta",
    {"Param": PARAM, "Grad": GRAD, "AvgSquaredGrad": FIRST, "AvgSquaredUpdate": SECOND},
    {},
    "ParamOut AvgSquaredGradOut AvgSquaredUpdateOut",
)
for centered in (False, True):
    add(
        "rmsprop",
        dict(STEP, MeanSquare=SECOND + 1, MeanGrad=FIRST, Moment=FIRST),
        {"momentum": 0.5, "centered": centered},
        "ParamOut=Param MomentOut=Moment MeanSquareOut=MeanSquare MeanGradOut=MeanGrad",
        "centered" if centered else None,
    )
add(
    "ftrl",
    dict(STEP, SquaredAccumulator=FIRST, LinearAccumulator=SECOND),
    {"l1": 0.1, "l2": 0.2},
    "ParamOut SquaredAccumOut LinearAccumOut",
)
add("dpsgd", STEP, {"clip": 0.5, "batch_size": 4.0, "sigma": 2.0, "seed": 3}, "ParamOut")
add(
    "proximal_gd",
    STEP,
    {"l1": 0.1, "l2": 0.2},
    "ParamOut",
)
add(
    "proximal_adagrad",
    dict(STEP, Moment=FIRST),
    {"l1": 0.1, "l2": 0.2},
    "ParamOut MomentOut",
)


def run(case, fluid, trace, make):
    """Return the outputs and gradients of a case, by name.

    Args:
        case: a key of `CASES`.
        fluid: the library.
        trace: runs an operator by its name.
        make: makes a variable to write to.
    """
    op, inputs, attrs, outputs = CASES[case]
    fed, leaves = {}, OrderedDict()
    for slot, arrays in inputs.items():
        fed[slot] = []
        for k, array in enumerate(arrays if isinstance(arrays, list) else [arrays]):
            variable = fluid.dygraph.to_variable(np.array(array))
            # Paddle overwrites the input of inplace_abn
            if array.dtype.kind == "f" and "Param" not in inputs and op != "inplace_abn":
                variable.stop_gradient = False
                leaves["%s%d" % (slot, k)] = variable
            fed[slot].append(variable)
    made = OrderedDict(
        (slot, fed[to] if isinstance(to, str) else [make() for _ in range(to)])
        for slot, to in outputs.items()
    )
    trace(op, fed, made, attrs)
    found = OrderedDict()
    for slot, variables in made.items():
        for k, variable in enumerate(variables):
            try:
                found["%s%d" % (slot, k)] = np.asarray(variable.numpy())
            except fluid.core.EnforceNotMet:
                pass  # an output that stays empty
    first = next(iter(made.values()))[0]
    if attrs.get("is_test"):
        return found  # Paddle refuses the backward pass
    if leaves and not first.stop_gradient and found and first.numpy().dtype.kind == "f":
        first.backward()
        for name, leaf in leaves.items():
            gradient = leaf.gradient()
            if gradient is not None:
                found["gradient of " + name] = np.asarray(gradient)
    return found


def main(path):
    import paddle.fluid as fluid

    arrays = {}
    with fluid.dygraph.guard(fluid.CPUPlace()):
        helper = fluid.layer_helper.LayerHelper("case")

        def trace(op, fed, made, attrs):
            helper.append_op(type=op, inputs=fed, outputs=made, attrs=attrs)

        def make():
            return helper.create_variable_for_type_inference("float32")

        for case in CASES:
            for name, array in run(case, fluid, trace, make).items():
                arrays[case + "|" + name] = array
    np.savez_compressed(path, **arrays)


if __name__ == "__main__":
    main(sys.argv[1])

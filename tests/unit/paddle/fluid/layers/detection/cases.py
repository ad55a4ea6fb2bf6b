"""Cases of detection that run alike under Paddle 1.8.5 and under refluid.

    python3.7-with-paddle cases.py recordings.npz

writes what Paddle gives, outputs and gradients; test_cases.py compares. Python 3.7 and NumPy of
2020 must be able to read this.
"""

import collections
import sys

import numpy as np

CASES = collections.OrderedDict()


def case(name, function, *arrays, **options):
    """Note a case: `function(fluid.layers, *variables)`, or of `fluid` itself with `whole`.

    `grad` are the numbers of the inputs whose gradients are recorded.
    """
    assert name not in CASES, name
    CASES[name] = function, arrays, options.get("grad", ()), options.get("whole", False)


def floats(seed, *shape, **limits):
    low, high = limits.get("low", -1.0), limits.get("high", 1.0)
    return np.random.RandomState(seed).uniform(low, high, shape).astype("float32")


def chances(seed, *shape):
    return floats(seed, *shape, low=0.0)


def ints(values, dtype="int32"):
    return np.array(values, dtype)


def boxes(seed, *shape, **options):
    size = options.get("size", 10.0)
    centre = floats(seed, *shape, 2, low=0.0, high=size)
    half = floats(seed + 1, *shape, 2, low=size * 0.03, high=size * 0.25)
    return np.concatenate([centre - half, centre + half], -1)


def polygons(seed, corners, *shape):
    random = np.random.RandomState(seed)
    angle = np.sort(random.uniform(0, 2 * np.pi, (*shape, corners)), -1)
    radius = random.uniform(0.5, 4, (*shape, corners, 1))
    places = radius * np.stack([np.cos(angle), np.sin(angle)], -1)
    places = places + random.uniform(0, 10, (*shape, 1, 2))
    return places.reshape((*shape, -1)).astype("float32")


# --- boxes ----------------------------------------------------------------------------------------

FEW, MORE = boxes(1, 5), boxes(3, 6)
case("iou", lambda L, x, y: L.iou_similarity(x, y), FEW, MORE, grad=(0, 1))
case("iou pixels", lambda L, x, y: L.iou_similarity(x, y, False), FEW, floats(5, 4, 4))
for normalized in (True, False):
    mark = "" if normalized else " pixels"
    case(
        "encode" + mark,
        lambda L, p, v, t, n=normalized: L.box_coder(p, v, t, box_normalized=n),
        MORE,
        floats(6, 6, 4, low=0.1, high=0.3),
        FEW,
        grad=(0, 2),
    )
    for axis, shape in ((0, (5, 6, 4)), (1, (6, 5, 4))):
        case(
            "decode along %d%s" % (axis, mark),
            lambda L, p, t, n=normalized, a=axis: L.box_coder(
                p, [0.1, 0.1, 0.2, 0.3], t, "decode_center_size", n, axis=a
            ),
            MORE,
            floats(7, *shape),
            grad=(1,),
        )
case(
    "decode with variances along 1",
    lambda L, p, v, t: L.box_coder(p, v, t, "decode_center_size", axis=1),
    MORE,
    floats(6, 6, 4, low=0.1, high=0.3),
    floats(7, 6, 5, 4),
)
case(
    "decode and assign",
    lambda L, *given: L.box_decoder_and_assign(*given, 0.3),
    MORE,
    floats(2, 4, low=0.1, high=0.2),
    floats(8, 6, 20, low=-3, high=3),
    floats(9, 6, 5, low=-2, high=-0.5),
    grad=(2, 3),
)
case("polygon", lambda L, x: L.polygon_box_transform(x), floats(10, 2, 4, 2, 3), grad=(0,))

# --- priors ---------------------------------------------------------------------------------------

MAP, IMAGE = floats(11, 1, 2, 2, 3), floats(12, 1, 3, 11, 17)
PRIORS = [
    dict(min_sizes=[4.0], max_sizes=[8.0], aspect_ratios=[2.0, 3.0], flip=True),
    dict(min_sizes=[4.0, 7.0], max_sizes=[8.0, 9.0], aspect_ratios=[2.0, 0.5, 2.0], clip=True),
    dict(min_sizes=5.0, aspect_ratios=3.0, steps=[3, 5], offset=0.3),
    dict(min_sizes=[4.0], max_sizes=[9.0], flip=True, min_max_aspect_ratios_order=True,
         aspect_ratios=[2.0], variance=[0.1, 0.2, 0.3, 0.4]),
]  # fmt: skip
for number, settings in enumerate(PRIORS):
    case("prior %d" % number, lambda L, m, i, k=settings: L.prior_box(m, i, **k), MAP, IMAGE)
case(
    "prior doubles",
    lambda L, m, i: L.prior_box(m, i, [4.0], [8.0], [3.0], offset=0.3),
    MAP.astype("float64"),
    IMAGE,
)
DENSITIES = dict(densities=[3, 1], fixed_sizes=[4.0, 9.0], fixed_ratios=[1.0, 0.7])
case("density", lambda L, m, i: L.density_prior_box(m, i, **DENSITIES), MAP, IMAGE)
case(
    "density flat",
    lambda L, m, i: L.density_prior_box(
        m, i, clip=True, steps=[5, 3.0], offset=0.2, flatten_to_2d=True, **DENSITIES
    ),
    MAP,
    IMAGE,
)
case(
    "anchors",
    lambda L, m: L.anchor_generator(m, [32.0, 64.0], [0.5, 1.0, 2.0], stride=[16.0, 8.0]),
    MAP,
)
case(
    "one anchor",
    lambda L, m: L.anchor_generator(m, 40, 1.3, [0.1, 0.2, 0.3, 0.4], (7.0, 9.0), 0.3),
    MAP,
)

# --- keeping the best -----------------------------------------------------------------------------

MANY, SCORES = boxes(13, 2, 30), chances(15, 2, 3, 30)
RULES = [
    ((0.2, -1, -1), dict()),
    ((0.2, 12, 9), dict(normalized=False, background_label=-1)),
    ((0.1, 20, 5), dict(background_label=2, nms_threshold=0.1)),
    ((0.0, 20, -1), dict(nms_threshold=0.8, nms_eta=0.9)),
    ((2.0, 20, 5), dict()),
    ((0.1, 0, 5), dict()),
    ((0.1, 5, 0), dict()),
]
for number, (thresholds, settings) in enumerate(RULES):
    case(
        "nms %d" % number,
        lambda L, b, s, t=thresholds, k=settings: L.multiclass_nms(b, s, *t, **k),
        MANY,
        SCORES,
    )
    case(
        "locality nms %d" % number,
        lambda L, b, s, t=thresholds, k=settings: L.locality_aware_nms(
            b, s, *t, **dict(k, background_label=-1)
        ),
        boxes(16, 2, 30, size=3.0),
        SCORES[:, :1],
    )
for corners in (4, 8, 12, 16):
    case(
        "nms of polygons %d" % corners,
        lambda L, b, s: L.multiclass_nms(b, s, 0.2, -1, -1, 0.2),
        polygons(18, corners, 1, 12),
        chances(19, 1, 2, 12),
    )
case(
    "nms of crossed polygons",
    lambda L, b, s: L.multiclass_nms(b, s, 0.2, -1, -1, 0.1),
    floats(20, 1, 15, 8, low=0, high=10),
    chances(19, 1, 2, 15),
)
case(
    "locality nms of polygons",
    lambda L, b, s: L.locality_aware_nms(b, s, 0.2, -1, -1, 0.2),
    polygons(21, 4, 1, 20),
    chances(19, 1, 1, 20),
)
case(
    "nms of boxes turned over",
    lambda L, b, s: L.multiclass_nms(b, s, 0.2, -1, -1, normalized=False),
    floats(22, 1, 20, 4, low=0, high=10),
    chances(23, 1, 2, 20),
)
case(
    "locality aware without background",
    lambda L, b, s: L.locality_aware_nms(b, s, 0.2, -1, -1, background_label=0),
    MANY,
    SCORES[:, :1],
)
MATRIX = [
    ((0.2, 0.1, -1, -1), dict()),
    ((0.2, 0.3, 12, 9), dict(use_gaussian=True, normalized=False, background_label=-1)),
    ((2.0, 0.1, 20, 5), dict()),
]
for number, (thresholds, settings) in enumerate(MATRIX):
    case(
        "matrix nms %d" % number,
        lambda L, b, s, t=thresholds, k=settings: L.matrix_nms(b, s, *t, return_index=True, **k),
        MANY,
        SCORES,
    )
case(
    "matrix nms of equal boxes",
    lambda L, b, s: L.matrix_nms(b, s, 0.01, 0.01, 10, 5),
    np.stack([FEW[[0, 0, 0, 0, 1]]] * 2),
    chances(24, 2, 2, 5),
)

# --- matching and outputs -------------------------------------------------------------------------

for kind in ("bipartite", "per_prediction"):
    case(
        "match " + kind,
        lambda L, d, k=kind: L.bipartite_match(d, k, 0.6),
        floats(25, 5, 7, low=-0.2),
    )
    case(
        "match ties " + kind,
        lambda L, d, k=kind: L.bipartite_match(d, k, 0.2),
        np.round(floats(26, 7, 9, low=-0.2) * 3).astype("float32"),
    )
    case(
        "match many rows " + kind,
        lambda L, d, k=kind: L.bipartite_match(d, k, 0.6),
        floats(27, 140, 6, low=-0.2),
    )
SSD = (
    floats(28, 2, 20, 4),
    floats(29, 2, 20, 4, high=3.0),
    boxes(30, 20, size=1.0),
    floats(31, 20, 4, low=0.1, high=0.3),
)
case("detections", lambda L, *given: L.detection_output(*given), *SSD)
case(
    "detections numbered",
    lambda L, *given: L.detection_output(*given, 1, 0.4, 10, 5, 0.2, 0.5, True),
    *SSD,
)
case("no detections", lambda L, *given: L.detection_output(*given, score_threshold=2.0), *SSD)
case(
    "no detections numbered",
    lambda L, *given: L.detection_output(*given, score_threshold=2.0, return_index=True),
    *SSD,
)
PYRAMID = [floats(32 + k, 2, n, 4) for k, n in enumerate((9, 5))]
PYRAMID += [chances(34, 2, 9, 3), floats(35, 2, 5, 3, low=-0.3)]
PYRAMID += [boxes(36 + k, n, size=50.0) for k, n in enumerate((9, 5))]
PYRAMID += [np.array([[48, 40, 1.3], [50, 60, 0.7]], "float32")]
for settings in (dict(), dict(nms_top_k=12, keep_top_k=9), dict(nms_threshold=0.6)):
    case(
        "retinanet %s" % "".join(sorted(settings)),
        lambda L, a, b, c, d, e, f, i, k=settings: L.retinanet_detection_output(
            [a, b], [c, d], [e, f], i, **k
        ),
        *PYRAMID,
    )
PROPOSALS = (
    floats(38, 2, 3, 4, 5),
    floats(39, 2, 12, 4, 5, low=-3, high=3),
    PYRAMID[-1],
    boxes(40, 4, 5, 3, size=50.0),
    floats(42, 4, 5, 3, 4, low=0.1),
)
FOUND = [
    dict(),
    dict(pre_nms_top_n=20, post_nms_top_n=7),
    dict(min_size=6.0),
    dict(min_size=100.0),
    dict(nms_thresh=0.8, eta=0.9),
    dict(nms_thresh=0.0),
    dict(post_nms_top_n=-1, pre_nms_top_n=0),
]
for number, settings in enumerate(FOUND):
    case(
        "proposals %d" % number,
        lambda L, a, b, c, d, e, k=settings: L.generate_proposals(
            a, b, c, d, e, return_rois_num=True, **k
        ),
        *PROPOSALS,
    )

# --- losses and YOLO ------------------------------------------------------------------------------

ANCHORS = [10, 13, 16, 30, 33, 23]
for settings in (dict(), dict(clip_bbox=False, scale_x_y=1.2)):
    for side in ((3, 3), (2, 4)):
        case(
            "yolo box %s %s" % (side, len(settings)),
            lambda L, x, s, k=settings: L.yolo_box(x, s, ANCHORS, 2, 0.45, 8, **k),
            floats(43, 2, 21, side[0], side[1], low=-2, high=2),
            ints([[96, 80], [50, 70]]),
            grad=(0,),
        )
TRUE = np.concatenate(
    [floats(44, 2, 6, 2, low=0, high=0.999), floats(45, 2, 6, 2, low=0.05, high=0.6)], -1
)
TRUE[1, 4:] = 0
TRUE[0, 3, 3] = 0
# two boxes at one place
TRUE[0, 5] = TRUE[0, 0] * 1.001
KINDS = np.random.RandomState(46).randint(0, 4, (2, 6)).astype("int32")
for number, settings in enumerate([dict(), dict(use_label_smooth=False), dict(scale_x_y=1.5)]):
    case(
        "yolo loss %d" % number,
        lambda L, x, b, c, k=settings: L.yolov3_loss(
            x, b, c, [*ANCHORS, 80, 70], [1, 3], 4, 0.3, 8, **k
        ),
        floats(47, 2, 18, 5, 5, low=-2, high=2),
        TRUE,
        KINDS,
        grad=(0,),
    )
case(
    "yolo loss with scores",
    lambda L, x, b, c, s: L.yolov3_loss(x, b, c, ANCHORS, [0, 1, 2], 4, 0.7, 8, gt_score=s),
    floats(47, 2, 27, 5, 5, low=-2, high=2),
    TRUE,
    KINDS,
    chances(48, 2, 6),
    grad=(0,),
)
OWN = np.random.RandomState(49).randint(-1, 6, (8, 1)).astype("int32")
case("focal", lambda L, x, c, n: L.sigmoid_focal_loss(x, c, n), floats(50, 8, 5, low=-5, high=5),
     OWN, ints([3]), grad=(0,))  # fmt: skip
for gamma in (0.5, 3.0):
    case(
        "focal of far scores %s" % gamma,
        lambda L, x, c, n, g=gamma: L.sigmoid_focal_loss(x, c, n, g, 0.6),
        floats(51, 8, 5, low=-120, high=120),
        OWN,
        ints([0]),
        grad=(0,),
    )

# --- regions --------------------------------------------------------------------------------------

IMAGES, STARTS = floats(52, 3, 2, 7, 9), ints([0, 2, 2, 6], "int64")
REGIONS = [("", boxes(53, 6, size=14.0)), (" outside", floats(55, 6, 4, low=-5, high=16))]
SIZES = [(2, 3, 1.0, -1), (3, 3, 0.5, 2), (1, 1, 1.3, 3)]
for mark, regions in REGIONS:
    for height, width, scale, ratio in SIZES:
        case(
            "align %s%s" % (scale, mark),
            lambda L, x, r, s, h=height, w=width, c=scale, a=ratio: L.roi_align(
                x, r, h, w, c, a, rois_lod=s
            ),
            IMAGES,
            regions,
            STARTS,
            grad=(0,),
        )
        for name, images in (("pool", IMAGES), ("pool ties", np.round(IMAGES * 2))):
            case(
                "%s %s%s" % (name, scale, mark),
                lambda L, x, r, s, h=height, w=width, c=scale: L.roi_pool(
                    x, r, h, w, c, rois_lod=s
                ),
                images,
                regions,
                STARTS,
                grad=(0,),
            )
for name in ("roi_align", "roi_pool"):
    case(
        name + " of proposals",
        lambda L, x, a, b, c, d, e, f=name: getattr(L, f)(
            x, L.generate_proposals(a, b, c, d, e, 20, 5)[0], 2, 2, 0.15
        ),
        floats(56, 2, 2, 8, 9),
        *PROPOSALS,
        grad=(0,),
    )
# filters, size, stride, padding, dilation, groups, deformable groups
WINDOWS = [
    (4, 3, 1, 1, 1, 1, 1),
    (6, 3, 2, 1, 1, 2, 2),
    (4, [2, 3], [1, 2], [1, 2], [2, 1], 1, 2),
]
OUT = [(4, 5), (2, 3), (4, 4)]
for number, window in enumerate(WINDOWS):
    out = OUT[number]
    filters, size, stride, padding, dilation, groups, parts = window
    height, width = [size] * 2 if isinstance(size, int) else size
    count = parts * height * width
    for moved in (0.0, 1.5, 3.0):
        offset = floats(57, 2, 2 * count, *out) * moved
        offset = np.round(offset) if moved == 3 else offset
        given = (floats(58, 2, 4, 4, 5), offset, floats(59, 2, count, *out))
        weight = floats(60, filters, 4 // groups, height, width)

        def convolve(fluid, x, o, m, k=window, w=weight):
            values = fluid.initializer.NumpyArrayInitializer(w)
            settings = (*k, 1, fluid.ParamAttr(initializer=values))
            return fluid.layers.deformable_conv(x, o, m, *settings, modulated=m is not None)

        mark = "%d moved by %s" % (number, moved)
        case("deformable " + mark, convolve, *given, grad=(0, 1, 2), whole=True)
        case(
            "deformable v1 " + mark,
            lambda fluid, x, o, f=convolve: f(fluid, x, o, None),
            *given[:2],
            grad=(0, 1),
            whole=True,
        )


def flat(outs):
    return [o for out in outs for o in flat(out)] if isinstance(outs, (list, tuple)) else [outs]


def run(fluid, name):
    """Return the outputs of a case, whether they stop gradients, and the inputs' gradients."""
    function, arrays, grad, whole = CASES[name]
    variables = []
    for number, array in enumerate(arrays):
        variables.append(fluid.dygraph.to_variable(array.copy()))
        variables[-1].stop_gradient = number not in grad
    outs = flat(function(fluid if whole else fluid.layers, *variables))
    result = collections.OrderedDict()
    terms = []
    for number, out in enumerate(outs):
        result["out %d" % number] = out.numpy()
        result["stops %d" % number] = np.array(out.stop_gradient)
        if result["out %d" % number].dtype.kind == "f" and grad:
            weight = np.random.RandomState(number).uniform(0.5, 2, out.shape)
            weight = fluid.dygraph.to_variable(weight.astype(result["out %d" % number].dtype))
            terms.append(fluid.layers.reduce_sum(out * weight))
    if terms:
        fluid.layers.sums(terms).backward()
        for number in grad:
            gradient = variables[number].gradient()
            result["gradient %d" % number] = np.zeros(0) if gradient is None else gradient
    return result


if __name__ == "__main__":
    import paddle.fluid

    arrays = {}
    with paddle.fluid.dygraph.guard(paddle.fluid.CPUPlace()):
        for name in CASES:
            for key, array in run(paddle.fluid, name).items():
                arrays[name + "|" + key] = array
    np.savez_compressed(sys.argv[1], **arrays)

"""Detection: anchors, boxes, regions, suppression, losses. May import: torch, core_avx."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor

from refluid.paddle.fluid.core_avx.table.route import op, route

__all__: list[str] = []

# --- anchors and boxes --------------------------------------------------------------------------

route(
    "anchor_generator",
    lambda Input, anchor_sizes, aspect_ratios, variances, stride, offset: op.anchor_generator(
        Input, anchor_sizes, aspect_ratios, variances, stride, offset
    ),
)
route("bipartite_match", lambda DistMat, match_type, dist_threshold: op.bipartite_match(
    DistMat, match_type, dist_threshold
))  # fmt: skip
route(
    "box_coder",
    lambda PriorBox, PriorBoxVar, TargetBox, variance, code_type, box_normalized, axis: (
        op.box_coder(
            PriorBox, TargetBox, PriorBoxVar, variance or None, code_type, box_normalized, axis
        )
    ),
)
route(
    "box_decoder_and_assign",
    lambda PriorBox, PriorBoxVar, TargetBox, BoxScore, box_clip: op.box_decoder_and_assign(
        PriorBox, PriorBoxVar, TargetBox, BoxScore, box_clip
    ),
)
route("iou_similarity", lambda X, Y, box_normalized: op.iou_similarity(X, Y, box_normalized))
route("polygon_box_transform", lambda Input: op.polygon_box_transform(Input))


def _prior_box(
    Input: Tensor,
    Image: Tensor,
    min_sizes: list[float],
    max_sizes: list[float],
    aspect_ratios: list[float],
    variances: list[float],
    flip: bool,
    clip: bool,
    step_w: float,
    step_h: float,
    offset: float,
    min_max_aspect_ratios_order: bool,
) -> Any:
    return op.prior_box(
        Input, Image, min_sizes, max_sizes or None, aspect_ratios, variances, flip, clip,
        [step_w, step_h], offset, None, min_max_aspect_ratios_order,
    )  # fmt: skip


def _density_prior_box(
    Input: Tensor,
    Image: Tensor,
    densities: list[int],
    fixed_sizes: list[float],
    fixed_ratios: list[float],
    variances: list[float],
    clip: bool,
    step_w: float,
    step_h: float,
    offset: float,
    flatten_to_2d: bool,
) -> Any:
    return op.density_prior_box(
        Input, Image, densities, fixed_sizes, fixed_ratios, variances, clip, [step_w, step_h],
        offset, flatten_to_2d,
    )  # fmt: skip


route("prior_box", _prior_box)
route("density_prior_box", _density_prior_box)

# --- regions ------------------------------------------------------------------------------------


def _generate_proposals(
    Scores: Tensor,
    BboxDeltas: Tensor,
    ImInfo: Tensor,
    Anchors: Tensor,
    Variances: Tensor,
    pre_nms_topN: int,
    post_nms_topN: int,
    nms_thresh: float,
    min_size: float,
    eta: float,
) -> Any:
    return op.generate_proposals(
        Scores, BboxDeltas, ImInfo, Anchors, Variances, pre_nms_topN, post_nms_topN, nms_thresh,
        min_size, eta,
    )  # fmt: skip


route("generate_proposals", _generate_proposals)
route(
    "roi_align",
    lambda X, ROIs, RoisLod, spatial_scale, pooled_height, pooled_width, sampling_ratio: (
        op.roi_align(
            X, ROIs, RoisLod, None, pooled_height, pooled_width, spatial_scale, sampling_ratio
        )
    ),
)
route(
    "roi_pool",
    lambda X, ROIs, RoisLod, spatial_scale, pooled_height, pooled_width: op.roi_pool(
        X, ROIs, RoisLod, None, pooled_height, pooled_width, spatial_scale
    ),
)


def _deformable(
    Input: Tensor,
    Offset: Tensor,
    Mask: Tensor,
    Filter: Tensor,
    strides: list[int],
    paddings: list[int],
    dilations: list[int],
    groups: int,
    deformable_groups: int,
    im2col_step: int,
) -> Any:
    # `im2col_step` says how many images Paddle works on at once
    return op.deformable_conv(
        Input, Offset, Mask, Filter, None, strides, paddings, dilations, groups, deformable_groups
    )


def _deformable_v1(
    Input: Tensor,
    Offset: Tensor,
    Filter: Tensor,
    strides: list[int],
    paddings: list[int],
    dilations: list[int],
    groups: int,
    deformable_groups: int,
    im2col_step: int,
) -> Any:
    return op.deformable_conv_v1(
        Input, Offset, Filter, None, strides, paddings, dilations, groups, deformable_groups
    )


route("deformable_conv", _deformable)
route("deformable_conv_v1", _deformable_v1)
route("similarity_focus", lambda X, axis, indexes: op.similarity_focus(X, axis, indexes))

# --- suppression --------------------------------------------------------------------------------


def _suppression(name: str) -> Callable[..., Any]:
    def suppress(
        BBoxes: Tensor,
        Scores: Tensor,
        background_label: int,
        score_threshold: float,
        nms_top_k: int,
        nms_threshold: float,
        nms_eta: float,
        keep_top_k: int,
        normalized: bool,
    ) -> dict[str, Any]:
        made = getattr(op, name)(
            BBoxes, Scores, score_threshold, nms_top_k, keep_top_k, nms_threshold, normalized,
            nms_eta, background_label,
        )  # fmt: skip
        return dict(
            zip(("Out", "Index"), made if isinstance(made, tuple) else (made,), strict=False)
        )

    return suppress


for _name in ("locality_aware_nms", "multiclass_nms", "multiclass_nms2"):
    route(_name, _suppression(_name))


def _matrix_nms(
    BBoxes: Tensor,
    Scores: Tensor,
    background_label: int,
    score_threshold: float,
    post_threshold: float,
    nms_top_k: int,
    keep_top_k: int,
    normalized: bool,
    use_gaussian: bool,
    gaussian_sigma: float,
) -> Any:
    return op.matrix_nms(
        BBoxes, Scores, score_threshold, post_threshold, nms_top_k, keep_top_k, use_gaussian,
        gaussian_sigma, background_label, normalized, True,
    )  # fmt: skip


def _retinanet(
    BBoxes: list[Tensor],
    Scores: list[Tensor],
    Anchors: list[Tensor],
    ImInfo: Tensor,
    score_threshold: float,
    nms_top_k: int,
    nms_threshold: float,
    nms_eta: float,
    keep_top_k: int,
) -> Any:
    return op.retinanet_detection_output(
        BBoxes, Scores, Anchors, ImInfo, score_threshold, nms_top_k, keep_top_k, nms_threshold,
        nms_eta,
    )  # fmt: skip


route("matrix_nms", _matrix_nms)
route("retinanet_detection_output", _retinanet)

# --- losses -------------------------------------------------------------------------------------


def _yolo_box(
    X: Tensor,
    ImgSize: Tensor,
    class_num: int,
    anchors: list[int],
    downsample_ratio: int,
    conf_thresh: float,
    clip_bbox: bool,
    scale_x_y: float,
) -> Any:
    return op.yolo_box(
        X, ImgSize, anchors, class_num, conf_thresh, downsample_ratio, clip_bbox, None, scale_x_y
    )


def _yolov3_loss(
    X: Tensor,
    GTBox: Tensor,
    GTLabel: Tensor,
    GTScore: Tensor | None,
    class_num: int,
    anchors: list[int],
    anchor_mask: list[int],
    downsample_ratio: int,
    ignore_thresh: float,
    use_label_smooth: bool,
    scale_x_y: float,
) -> Any:
    return op.yolov3_loss(
        X, GTBox, GTLabel, anchors, anchor_mask, class_num, ignore_thresh, downsample_ratio,
        GTScore, use_label_smooth, None, scale_x_y,
    )  # fmt: skip


route("sigmoid_focal_loss", lambda X, Label, FgNum, gamma, alpha: op.sigmoid_focal_loss(
    X, Label, FgNum, gamma, alpha
))  # fmt: skip
route("yolo_box", _yolo_box)
route("yolov3_loss", _yolov3_loss)

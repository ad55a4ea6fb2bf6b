"""Bad arguments: the class of the error is Paddle's, the message names the argument."""

from __future__ import annotations

import numpy as np
import pytest

from refluid.paddle import fluid
from refluid.paddle.fluid import layers as L
from refluid.paddle.fluid.core_avx import EnforceNotMet

BOX = np.array([[0, 0, 2, 2], [1, 1, 3, 3], [4, 4, 6, 5]], "float32")


def V(values, dtype="float32"):
    return fluid.dygraph.to_variable(np.array(values, dtype))


def ones(*shape, dtype="float32"):
    return V(np.ones(shape), dtype)


REFUSED = [
    ("L.iou_similarity(b, ones(2, 5))", EnforceNotMet, r"`y` must have shape \[M, 4\]"),
    ("L.iou_similarity(b, V(BOX, 'float64'))", EnforceNotMet, "one element type"),
    ("L.box_coder(b, (0.1,) * 4, b)", TypeError, "`prior_box_var` must be a Variable or a list"),
    ("L.box_coder(b, None, b)", TypeError, "`prior_box_var`"),
    ("L.box_coder(b, [0.1] * 3, b)", EnforceNotMet, "`prior_box_var` must be 4 numbers"),
    ("L.box_coder(b, ones(2, 4), b)", EnforceNotMet, r"`prior_box_var`.*M = 3 as in `prior_box`"),
    ("L.box_coder(b, b, b, 'decode')", EnforceNotMet, "`code_type`"),
    ("L.box_coder(b, b, ones(3, 3, 4), 'decode_center_size', axis=2)", EnforceNotMet, "`axis`"),
    ("L.box_coder(b, b, b, 'decode_center_size')", EnforceNotMet, r"`target_box` .*\[N, M, 4\]"),
    ("L.box_coder(b, b, ones(3, 2, 4), 'decode_center_size')", EnforceNotMet, "M = 3"),
    ("L.box_decoder_and_assign(b, ones(4), ones(3, 9), ones(3, 2), 4.0)", EnforceNotMet,
     r"`target_box` must be \[R, 4 C\], here \[3, 8\]"),
    ("L.box_decoder_and_assign(b, ones(3, 4), ones(3, 8), ones(3, 2), 4.0)", EnforceNotMet,
     "`prior_box_var`"),
    ("L.box_decoder_and_assign(b, ones(4), ones(3, 8), ones(3, 2), 'x')", EnforceNotMet,
     "`box_clip` must be"),
    ("L.polygon_box_transform(ones(1, 3, 2, 2))", EnforceNotMet, "even number of channels"),
    ("L.polygon_box_transform(b)", EnforceNotMet, "`input`"),
    ("L.prior_box(m, m, [4.0], 8.0)", TypeError, "`max_sizes` must be a list"),
    ("L.prior_box(m, m, [4.0], [2.0])", EnforceNotMet, "`max_sizes` must be above"),
    ("L.prior_box(m, m, [4.0, 5.0], [6.0])", EnforceNotMet, "`max_sizes` must be 2 numbers"),
    ("L.prior_box(m, m, [4.0], variance=[0.1])", EnforceNotMet, "`variance` must be 4 numbers"),
    ("L.prior_box(m, m, [4.0], steps=3.0)", ValueError, "`steps` must be two numbers"),
    ("L.prior_box(m, m, 'x')", EnforceNotMet, "`min_sizes` must be numbers"),
    ("L.prior_box(b, m, [4.0])", EnforceNotMet, "`input`"),
    ("L.prior_box(m, b, [4.0])", EnforceNotMet, "`image`"),
    ("L.prior_box(m, m, [])", EnforceNotMet, "`min_sizes` must not be empty"),
    ("L.density_prior_box(m, m, [], [], [1.0])", EnforceNotMet, "`fixed_sizes` must not be empty"),
    ("L.density_prior_box(m, m, [1], [1.0], [])", EnforceNotMet, "`fixed_ratios` must not be"),
    ("L.anchor_generator(m, [], [1.0], stride=[1.0, 1.0])", EnforceNotMet, "`anchor_sizes`"),
    ("L.anchor_generator(m, [1.0], [], stride=[1.0, 1.0])", EnforceNotMet, "`aspect_ratios`"),
    ("L.density_prior_box(m, m)", TypeError, "`densities` must be a list"),
    ("L.density_prior_box(m, m, [2], [1.0, 2.0], [1.0])", ValueError, "`densities`"),
    ("L.density_prior_box(m, m, [0], [1.0], [1.0])", ValueError, "above 0"),
    ("L.anchor_generator(m)", ValueError, "`stride`"),
    ("L.anchor_generator(m, stride=[1.0, 1.0])", EnforceNotMet, "`anchor_sizes` must be numbers"),
    ("L.bipartite_match(b, 'some')", EnforceNotMet, "`match_type`"),
    ("L.bipartite_match(m)", EnforceNotMet, "`dist_matrix`"),
    ("L.multiclass_nms(ones(1, 3, 4), ones(3, 2), 0.1, 5, 5)", EnforceNotMet, "`scores` must have"),
    ("L.multiclass_nms(ones(1, 3, 4), ones(1, 2, 4), 0.1, 5, 5)", EnforceNotMet, "M = 3 as in"),
    ("L.multiclass_nms(ones(1, 3, 4), ones(2, 2, 3), 0.1, 5, 5)", EnforceNotMet, "N = 1 as in"),
    ("L.multiclass_nms(ones(1, 3, 6), ones(1, 2, 3), 0.1, 5, 5)", EnforceNotMet, "4, 8, 16, 24"),
    ("L.multiclass_nms(ones(1, 3, 4), ones(1, 2, 3), 0.1, 5.0, 5)", EnforceNotMet, "`nms_top_k`"),
    ("L.multiclass_nms(ones(1, 3, 4), ones(1, 2, 3), None, 5, 5)", EnforceNotMet,
     "`score_threshold`"),
    ("L.matrix_nms(ones(1, 3, 8), ones(1, 2, 3), 0.1, 0.1, 5, 5)", EnforceNotMet, "`bboxes`"),
    ("L.matrix_nms(ones(1, 3, 4), ones(1, 2, 3), 0.1, 0.1, 5, 1.5)", EnforceNotMet, "`keep_top_k`"),
    ("L.locality_aware_nms(ones(1, 3, 4), ones(1, 2, 3), 0.1, 5, 5)", AssertionError, "one class"),
    ("L.detection_output(ones(1, 3, 4), ones(1, 4, 2), b, b)", EnforceNotMet, "`scores`"),
    ("L.detection_output(ones(1, 3, 4), ones(3, 2), b, b)", EnforceNotMet, r"\[N, M, C\]"),
    ("L.detection_output(ones(1, 3, 4), BOX, b, b)", TypeError, "`scores` must be a Variable"),
    ("L.retinanet_detection_output(ones(1, 3, 4), [b], [b], ones(1, 3))", EnforceNotMet,
     "`bboxes` must be a list"),
    ("L.retinanet_detection_output([ones(1, 3, 4)], [], [b], ones(1, 3))", EnforceNotMet,
     "have 1, 0 and 1"),
    ("L.retinanet_detection_output([ones(1, 3, 4)], [ones(1, 4, 2)], [b], ones(1, 3))",
     EnforceNotMet, r"`scores\[0\]` must have"),
    ("L.retinanet_detection_output([ones(1, 3, 4)] * 2, [ones(1, 3, 2), ones(1, 3, 1)], [b] * 2,"
     " ones(1, 3))", EnforceNotMet, "same classes"),
    ("L.generate_proposals(*RPN[:3], ones(2, 2, 1, 4), RPN[4])", EnforceNotMet, "`anchors`"),
    ("L.generate_proposals(RPN[0], ones(1, 4, 2, 2), *RPN[2:])", EnforceNotMet, "`bbox_deltas`"),
    ("L.generate_proposals(*RPN[:2], ones(2, 3), *RPN[3:])", EnforceNotMet, "`im_info`"),
    ("L.generate_proposals(*RPN, pre_nms_top_n=1.5)", EnforceNotMet, "`pre_nms_top_n`"),
    ("L.yolo_box(y, s, [1, 2], 1, 1, 32)", TypeError, "`conf_thresh` must be of type float"),
    ("L.yolo_box(y, s, [1, 2], 2, 0.1, 32)", EnforceNotMet, r"A \(5 \+ C\) = 1 \* \(5 \+ 2\)"),
    ("L.yolo_box(y, s, [1, 2, 3], 1, 0.1, 32)", EnforceNotMet, "`anchors` must be pairs"),
    ("L.yolo_box(y, s, 3, 1, 0.1, 32)", TypeError, "`anchors` must be a list"),
    ("L.yolo_box(y, ones(2, 2, dtype='int32'), [1, 2], 1, 0.1, 32)", EnforceNotMet, "`img_size`"),
    ("L.yolo_box(y, ones(1, 2, dtype='int64'), [1, 2], 1, 0.1, 32)", EnforceNotMet, "int32"),
    ("L.yolov3_loss(y, t, c, [1, 2], [1], 1, 0.5, 32)", EnforceNotMet, "`anchor_mask`"),
    ("L.yolov3_loss(y, t, c, [1, 2], 0, 1, 0.5, 32)", TypeError, "`anchor_mask`"),
    ("L.yolov3_loss(y, t, c, [1, 2], [0], 1, 1, 32)", TypeError, "`ignore_thresh`"),
    ("L.yolov3_loss(y, t * 3.0, c, [1, 2], [0], 1, 0.5, 32)", EnforceNotMet, "centres within"),
    ("L.yolov3_loss(y, t, ones(1, 3, dtype='int32'), [1, 2], [0], 1, 0.5, 32)", EnforceNotMet,
     "`gt_label`"),
    ("L.yolov3_loss(ones(1, 6, 2, 3), t, c, [1, 2], [0], 1, 0.5, 32)", EnforceNotMet,
     r"\[N, C, H, H\]"),
    ("L.sigmoid_focal_loss(b, ones(3, dtype='int32'), n)", EnforceNotMet, "`label`"),
    ("L.sigmoid_focal_loss(b, ones(3, 1, dtype='int32'), ones(0, dtype='int32'))", EnforceNotMet,
     "`fg_num`"),
    ("L.roi_align(m, b)", EnforceNotMet, "`rois_lod` must be given"),
    ("L.roi_pool(m, b)", EnforceNotMet, "`rois_lod` must be given"),
    ("L.roi_align(m, b, 0, 1, rois_lod=lod)", EnforceNotMet, "`pooled_height`"),
    ("L.roi_align(m, b, spatial_scale=0.0, rois_lod=lod)", EnforceNotMet, "`spatial_scale`"),
    ("L.roi_align(m, ones(3, 5), rois_lod=lod)", EnforceNotMet, "`rois` must have shape"),
    ("L.roi_pool(m, b, rois_lod=V([0, 2], 'int64'))", EnforceNotMet, "from 0 to 3"),
    ("L.roi_pool(m, b, rois_lod=V([0, 2, 3], 'int64'))", EnforceNotMet, "hold 2 ascending"),
    ("L.roi_pool(m, b, rois_lod=V([0, 3], 'int32'))", EnforceNotMet, "int64"),
    ("L.deformable_conv(*D, 3, 3, groups=5)", ValueError, "`groups` must divide"),
    ("L.deformable_conv(*D, 3, 3)", EnforceNotMet, "`offset` must have shape"),
    ("L.deformable_conv(*D, 3, 1, im2col_step=0)", ValueError, "`im2col_step`"),
    ("L.deformable_conv(*D, 3, 1, deformable_groups=2)", EnforceNotMet, "`deformable_groups`"),
    ("L.deformable_conv(D[0], D[1], None, 3, 1)", TypeError, "`mask` must be a Variable"),
    ("L.deformable_conv(D[0], D[1], D[1], 3, 1)", EnforceNotMet, "`mask` must have shape"),
    ("L.deformable_conv(D[0], D[1], D[2], 3, 1, padding='SAME')", ValueError, "`padding`"),
    ("L.deformable_conv(D[0], D[1], D[2], 3, 1, stride=0)", ValueError, "`stride`"),
    ("L.deformable_conv(b, b, b, 3, 1)", EnforceNotMet, "`input` must be"),
]  # fmt: skip


@pytest.mark.parametrize(("expression", "error", "message"), REFUSED)
def test_refused(expression, error, message):
    names = {
        "L": L, "V": V, "ones": ones, "BOX": BOX, "b": V(BOX), "m": ones(1, 2, 4, 4),
        "y": ones(1, 6, 2, 2), "s": ones(1, 2, dtype="int32"), "t": ones(1, 2, 4) * 0.5,
        "c": ones(1, 2, dtype="int32"), "n": ones(1, dtype="int32"), "lod": V([0, 3], "int64"),
        "RPN": [ones(1, 2, 2, 2), ones(1, 8, 2, 2), ones(1, 3), ones(2, 2, 2, 4),
                ones(2, 2, 2, 4)],
        "D": [ones(1, 4, 3, 3), ones(1, 2, 3, 3), ones(1, 1, 3, 3)],
    }  # fmt: skip
    with pytest.raises(error, match=message):
        eval(expression, names)

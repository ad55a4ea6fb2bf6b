"""`fluid.layers.detection`: functions for finding objects in images.

Boxes are x1, y1, x2, y2. Where images have different numbers of boxes, results hold the rows of
all images one after the other. May import: its own files.
"""

from __future__ import annotations

from refluid.paddle.fluid.layers.detection.boxes import (
    box_coder,
    box_decoder_and_assign,
    iou_similarity,
    polygon_box_transform,
)
from refluid.paddle.fluid.layers.detection.focal import sigmoid_focal_loss
from refluid.paddle.fluid.layers.detection.locality import locality_aware_nms
from refluid.paddle.fluid.layers.detection.matching import bipartite_match
from refluid.paddle.fluid.layers.detection.matrix import matrix_nms
from refluid.paddle.fluid.layers.detection.nms import multiclass_nms
from refluid.paddle.fluid.layers.detection.output import (
    detection_output,
    retinanet_detection_output,
)
from refluid.paddle.fluid.layers.detection.priors import (
    anchor_generator,
    density_prior_box,
    prior_box,
)
from refluid.paddle.fluid.layers.detection.proposals import generate_proposals
from refluid.paddle.fluid.layers.detection.yolo import yolo_box
from refluid.paddle.fluid.layers.detection.yolo_loss import yolov3_loss

__all__ = [
    "anchor_generator",
    "bipartite_match",
    "box_coder",
    "box_decoder_and_assign",
    "density_prior_box",
    "detection_output",
    "generate_proposals",
    "iou_similarity",
    "locality_aware_nms",
    "matrix_nms",
    "multiclass_nms",
    "polygon_box_transform",
    "prior_box",
    "retinanet_detection_output",
    "sigmoid_focal_loss",
    "yolo_box",
    "yolov3_loss",
]

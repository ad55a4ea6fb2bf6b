"""Convolution over trees. B batch, N nodes, F features, O outputs, M filters.

Source: Mou et al. 2016 (tree-based convolution, continuous binary trees).
May import: numpy, torch, operator, activation.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from refluid.paddle.fluid.core_avx.error import EnforceNotMet
from refluid.paddle.fluid.core_avx.operator import FLOAT, Kind, operator, optional
from refluid.paddle.fluid.core_avx.ops.activation import activate

__all__ = ["tree_conv"]

_INT32 = Kind(frozenset({torch.int32}))


@operator(
    "tree_conv", direct=True, nodes_vector=FLOAT, edge_set=_INT32, weight=FLOAT,
    bias=optional(FLOAT),
)  # fmt: skip
def tree_conv(
    nodes_vector: Tensor,
    edge_set: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    max_depth: int,
    act: str | None = None,
) -> Tensor:
    """Weigh each node together with its descendants.

    A node's window is itself and its descendants less than `max_depth` levels below. A node of
    the window at depth d that is child number i of n counts as top (max_depth - d) / max_depth,
    and its rest is divided between left and right as (i - 1) / (n - 1) says, 1/2 if n is 1.

    The gradient of `nodes_vector` is Paddle's, which reads the weight [F, 3, O, M] as if it were
    [F, O, M, 3] there; that of the weight is the true one.

    Args:
        nodes_vector: float [B, N, F].
        edge_set: int32 [B, E, 2], pairs (parent, child) of numbers from 1; the list ends at the
            first pair with a 0.
        weight: [F, 3, O, M] for left, right and top.
        bias: added along the nodes, 1 or N elements; or None.
        max_depth: at least 2.
        act: name of an activation, or None.

    Returns:
        [B, N, O, M]; zeros for nodes that are in no edge.
    """
    features = weight.size(0)
    if not (nodes_vector.dim() == 3 and nodes_vector.size(2) == features):
        raise EnforceNotMet(
            f"tree_conv: `nodes_vector` must have shape [batch, nodes, {features}], but received "
            f"shape {list(nodes_vector.size())}."
        )
    batch, nodes = nodes_vector.size(0), nodes_vector.size(1)
    if not (edge_set.dim() == 3 and edge_set.size(0) == batch and edge_set.size(2) == 2):
        raise EnforceNotMet(
            f"tree_conv: `edge_set` must have shape [{batch}, edges, 2], but received shape "
            f"{list(edge_set.size())}."
        )
    if max_depth <= 1:
        raise EnforceNotMet(f"tree_conv: `max_depth` must be above 1, but received {max_depth}.")
    shares = _all_shares(edge_set.tolist(), nodes, max_depth).to(weight)
    vectors = torch.detach(nodes_vector)
    out = _weigh(shares, vectors, torch.transpose(weight, 0, 1))
    if nodes_vector.requires_grad:
        # nothing is added but the gradient
        misread = torch.reshape(torch.detach(weight), (features, -1, 3)).movedim(-1, 0)
        out = out + _weigh(shares, torch.sub(nodes_vector, vectors), misread)
    out = out.reshape(batch, nodes, *weight.size()[2:])
    if bias is not None:
        if bias.numel() not in (1, nodes):
            raise EnforceNotMet(
                f"tree_conv: `bias` must have 1 or {nodes} elements, one for each node, but "
                f"received shape {list(bias.size())}."
            )
        out = out + torch.reshape(bias, (1, -1, 1, 1))
    return activate(out, act)


def _weigh(shares: Tensor, nodes: Tensor, weight: Tensor) -> Tensor:
    """Return [B N, O M] for shares [B, 3 N, N], nodes [B, N, F] and a weight [3, F, ...]."""
    flat = weight.reshape(3 * nodes.size(2), -1)
    return torch.mm(torch.bmm(shares, nodes).reshape(-1, flat.size(0)), flat)


def _all_shares(trees: list[list[list[int]]], nodes: int, max_depth: int) -> Tensor:
    """Return what `_shares` gives for each tree as float32 [B, 3 N, N]."""
    found = [_shares(edges, nodes, max_depth) for edges in trees]
    places = [k * nodes * nodes + place for k, tree in enumerate(found) for place in tree]
    values = [share for tree in found for share in tree.values()]
    # NumPy assigns a few numbers at a tenth of the cost
    shares = np.zeros((len(trees) * nodes, 3, nodes), "float32")
    if places:
        root, node = np.divmod(places, nodes)
        shares[root, :, node] = values
    return torch.from_numpy(shares).view(len(trees), 3 * nodes, nodes)


def _shares(
    edges: list[list[int]], nodes: int, max_depth: int
) -> dict[int, tuple[float, float, float]]:
    """Return how much nodes count in roots' windows: (left, right, top) at root * nodes + node."""
    children: dict[int, list[int]] = {}
    count = 1
    for parent, child in edges:
        if parent == 0 or child == 0:
            break
        count += 1
        if not (0 < parent <= nodes and 0 < child <= nodes):
            raise EnforceNotMet(
                f"tree_conv: `edge_set` must name nodes from 1 to {nodes}, but received the edge "
                f"{[parent, child]}."
            )
        children.setdefault(parent - 1, []).append(child - 1)
    shares: dict[int, tuple[float, float, float]] = {}
    for root in range(min(count, nodes)):
        start = root * nodes
        shares[start + root] = (0.0, 0.0, 1.0)
        level = [root]
        for depth in range(1, max_depth):
            top = (max_depth - depth) / max_depth
            below = []
            for parent in level:
                family = children.get(parent, ())
                for number, child in enumerate(family):
                    # a node counts where it is met first
                    if start + child not in shares:
                        side = 0.5 if len(family) == 1 else number / (len(family) - 1)
                        left = (1.0 - top) * side
                        shares[start + child] = (left, (1.0 - top) * (1.0 - left), top)
                        below.append(child)
            level = below
    return shares

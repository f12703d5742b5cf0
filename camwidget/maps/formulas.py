"""Arithmetic of class activation maps: tensors in, tensors out. Nothing here knows of modules or hooks.

Throughout, `activation` is A with channels k and positions i, j; Z the number of positions; Y^c the logit of class c;
`gradient` is g^k(i, j) = dY^c/dA^k(i, j). A ReLU at the end of a paper's formula is left out here, to keep the sign;
`positive` of the map is the paper's map. A ReLU inside a formula, on the gradient, belongs to the method and is kept.
A weight whose denominator is zero, as in a dead channel, is zero.
"""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from camwidget.hooks.tensors import at_least_single


def cam(
    activation: Float[Tensor, "batch channel map_height map_width"],
    classifier_weight: Float[Tensor, "*axes class channel"],
) -> Float[Tensor, "batch class map_height map_width"]:
    """Return each class's weighted sum of the channels: M_c(i, j) = sum_k w_k^c A^k(i, j), signed and unscaled.

    Where the activation feeds global average pooling and one linear layer, the mean of a map plus the class's bias is
    the logit. Zhou et al. 2016, equation 2.

    Args:
        activation: the layer's output.
        classifier_weight: a row for each class; with a first axis, rows of their own for each of the batch.
    """
    flat = torch.matmul(classifier_weight, activation.flatten(2))
    return flat.view(*flat.shape[:2], *activation.shape[2:])


def channel_weight(
    gradient: Float[Tensor, "batch channel map_height map_width"],
) -> Float[Tensor, "batch channel"]:
    """Return how much a class's logit gains per channel: alpha_k = (1/Z) sum_ij dY/dA^k(i, j).

    Selvaraju et al. 2017, equation 1.

    Args:
        gradient: derivative of the class's logit with respect to the activation.
    """
    return gradient.mean(dim=(2, 3))


def grad_cam(
    activation: Float[Tensor, "batch channel map_height map_width"],
    gradient: Float[Tensor, "batch channel map_height map_width"],
) -> Float[Tensor, "batch map_height map_width"]:
    """Return the Grad-CAM before its ReLU: sum_k alpha_k A^k, signed and unscaled.

    Selvaraju et al. 2017, equation 2 without the ReLU; `positive` of it is the paper's map. Where the activation feeds
    global average pooling and one linear layer, this is `cam` divided by Z.

    Args:
        activation: the layer's output.
        gradient: derivative of the class's logit with respect to it.
    """
    return torch.einsum("bk,bkij->bij", channel_weight(gradient), activation)


def hires_cam(
    activation: Float[Tensor, "batch channel map_height map_width"],
    gradient: Float[Tensor, "batch channel map_height map_width"],
) -> Float[Tensor, "batch map_height map_width"]:
    """Return HiResCAM: sum_k g^k(i, j) A^k(i, j), signed and unscaled.

    Draelos and Carin 2020 (arXiv 2011.08891), the definition in the section on HiResCAM. No average is taken, so no
    evidence moves to another position. Where the rest of the network is piecewise linear, the sum over positions is the
    logit up to a constant.

    Args:
        activation: the layer's output.
        gradient: derivative of the class's logit with respect to it.
    """
    return torch.einsum("bkij,bkij->bij", gradient, activation)


def grad_cam_plus_plus(
    activation: Float[Tensor, "batch channel map_height map_width"],
    gradient: Float[Tensor, "batch channel map_height map_width"],
) -> Float[Tensor, "batch map_height map_width"]:
    """Return Grad-CAM++ before its outer ReLU: sum_k w_k A^k with w_k = sum_ij alpha^k(i, j) ReLU(g^k(i, j)).

    alpha = g^2 / (2 g^2 + S_k g^3) where S_k = sum_ab A^k(a, b). Chattopadhyay et al. 2018 (arXiv 1710.11063), equation
    19. Here it is 1 / (2 + S_k g), the same wherever g is not zero, and small gradients do not underflow. The paper
    takes exp(Y^c) for the score; that is one factor, exp(Y^c), for the whole map, and is left out. Multiplying the
    logits by a number changes the shape of the map. Made for non-negative activations: then no value is negative.

    Args:
        activation: the layer's output.
        gradient: derivative of the class's logit with respect to it.
    """
    total = activation.sum(dim=(2, 3), keepdim=True)
    weight = _ratio(positive(gradient), 2 + total * gradient).sum(dim=(2, 3))
    return torch.einsum("bk,bkij->bij", weight, activation)


def xgrad_cam(
    activation: Float[Tensor, "batch channel map_height map_width"],
    gradient: Float[Tensor, "batch channel map_height map_width"],
) -> Float[Tensor, "batch map_height map_width"]:
    """Return XGrad-CAM before its ReLU: sum_k w_k A^k with w_k = sum_ij g^k(i, j) A^k(i, j) / sum_ij A^k(i, j).

    Fu et al. 2020 (arXiv 2008.02312), the weights that follow from the paper's two axioms. The map has the same
    sum as HiResCAM's. Where a channel has both signs its sum may be nearly zero, and its weight huge.

    Args:
        activation: the layer's output.
        gradient: derivative of the class's logit with respect to it.
    """
    weight = _ratio((gradient * activation).sum(dim=(2, 3)), activation.sum(dim=(2, 3)))
    return torch.einsum("bk,bkij->bij", weight, activation)


def layer_cam(
    activation: Float[Tensor, "batch channel map_height map_width"],
    gradient: Float[Tensor, "batch channel map_height map_width"],
) -> Float[Tensor, "batch map_height map_width"]:
    """Return LayerCAM before its outer ReLU: sum_k ReLU(g^k(i, j)) A^k(i, j).

    Jiang et al. 2021 (IEEE Transactions on Image Processing 30), the weights and the map of one layer; no layers are
    fused. After a ReLU no value is negative; elsewhere a negative value is an activation below zero that the logit
    wants higher, not the evidence against the class that other methods show.

    Args:
        activation: the layer's output.
        gradient: derivative of the class's logit with respect to it.
    """
    return torch.einsum("bkij,bkij->bij", positive(gradient), activation)


def channel_masks(
    activation: Float[Tensor, "1 channel map_height map_width"], *, height: int, width: int
) -> Float[Tensor, "channel height width"]:
    """Return a mask for each channel, from 0 to 1 and of the picture's size: s(U(A^k)), with U the interpolation.

    Wang et al. 2020 (Score-CAM, arXiv 1910.01279), equations 4 and 5: s takes the smallest value to 0 and the largest
    to 1. A constant channel says nothing about positions; its mask is zero.

    Args:
        activation: the layer's output.
        height: of the picture.
        width: of the picture.
    """
    large = upsample(activation[0], height=height, width=width)
    least = large.amin(dim=(1, 2), keepdim=True)
    return _ratio(large - least, (large.amax(dim=(1, 2), keepdim=True) - least).expand_as(large))


def score_weight(scores: Float[Tensor, "channel target_class"]) -> Float[Tensor, "target_class channel"]:
    """Return the weight of every channel: the softmax, over channels, of the logits of its masked picture.

    Wang et al. 2020, equation 6 and algorithm 1: softmax_k(Y^c(X * H_k) - Y^c(X_b)). The logit of the baseline X_b is
    the same for all channels, and a common number does not change a softmax: it need not be known.

    Args:
        scores: the logits of the picture under each channel's mask.
    """
    return scores.softmax(dim=0).T


def score_cam(
    activation: Float[Tensor, "batch channel map_height map_width"], scores: Float[Tensor, "channel target_class"]
) -> Float[Tensor, "batch target_class map_height map_width"]:
    """Return Score-CAM before its ReLU: sum_k w_k^c A^k, with w the `score_weight`; all weights are positive.

    Wang et al. 2020, equation 7 without the ReLU.

    Args:
        activation: the layer's output.
        scores: see `score_weight`.
    """
    return cam(activation, score_weight(scores))


def eigen_cam(
    activation: Float[Tensor, "batch channel map_height map_width"],
) -> Float[Tensor, "batch map_height map_width"]:
    """Return Eigen-CAM: sum_k v_k A^k, with v the first right singular vector of A as a table of positions by channels.

    Muhammad and Yeasin 2020 (arXiv 2008.00299), on the activation as it is, not centred. No class and no gradient
    enters: the map is the same for every class. A singular vector has no sign of its own: it is a convention of this
    package that the map correlates positively with the mean magnitude of the activation. So a negative value is no
    evidence against anything.

    Args:
        activation: the layer's output.
    """
    if not bool(torch.isfinite(activation).all()):
        return torch.full_like(activation[:, 0], torch.nan)  # the decomposition would raise its own error
    # Half precision has no singular value decomposition.
    wide = at_least_single(activation)
    table = wide.flatten(2).transpose(1, 2)
    vector = torch.linalg.svd(table, full_matrices=False).Vh[:, 0]
    cams = torch.einsum("bk,bkij->bij", vector, wide)
    magnitude = wide.abs().mean(dim=1)
    rise = ((magnitude - magnitude.mean(dim=(1, 2), keepdim=True)) * cams).sum(dim=(1, 2), keepdim=True)
    agreement = torch.where(rise == 0, cams.sum(dim=(1, 2), keepdim=True), rise)
    return torch.where(agreement < 0, -cams, cams).to(activation.dtype)


def _ratio(part: Float[Tensor, "*axes"], whole: Float[Tensor, "*axes"]) -> Float[Tensor, "*axes"]:
    """The quotient, and zero where the denominator is zero.

    No small constant is added: beside squares of small gradients it would decide the map.
    """
    dead = whole == 0
    return torch.where(dead, torch.zeros_like(part), part / torch.where(dead, torch.ones_like(whole), whole))


def positive(cam: Float[Tensor, "*axes"]) -> Float[Tensor, "*axes"]:
    """Return only the evidence for the class: values below zero become zero."""
    return cam.clamp(min=0)


def upsample(
    cam: Float[Tensor, "batch map_height map_width"], *, height: int, width: int
) -> Float[Tensor, "batch height width"]:
    """Return the map at the size of the picture, interpolated linearly between the centres of the cells.

    Args:
        cam: raw values at the layer's own size.
        height: wanted height in pixels.
        width: wanted width in pixels.
    """
    return functional.interpolate(cam[:, None], size=(height, width), mode="bilinear", align_corners=False)[:, 0]


def scale_of(cams: Float[Tensor, "*axes"]) -> float:
    """Return the largest magnitude among all values, so that maps can share one scale; 0.0 if there are none."""
    return float(cams.abs().max()) if cams.numel() else 0.0

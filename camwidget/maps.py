"""Arithmetic of class activation maps: tensors in, tensors out. No module and no hook is known here.

Throughout, `activation` is A with channels k and positions i, j; Z the number of positions; Y^c the logit of class c.
"""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional


def cam(
    activation: Float[Tensor, "batch channel map_height map_width"], classifier_weight: Float[Tensor, "class channel"]
) -> Float[Tensor, "batch class map_height map_width"]:
    """Return each class's weighted sum of the channels: M_c(i, j) = sum_k w_k^c A^k(i, j), signed and unscaled.

    Where the activation feeds global average pooling and one linear layer, the mean of a map plus the class's bias is
    the logit. Zhou et al. 2016, equation 2.

    Args:
        activation: what the layer put out.
        classifier_weight: a row for each class.
    """
    return torch.einsum("ck,bkij->bcij", classifier_weight, activation)


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
        activation: what the layer put out.
        gradient: derivative of the class's logit with respect to it.
    """
    return torch.einsum("bk,bkij->bij", channel_weight(gradient), activation)


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
    """Return the largest magnitude among all values, so that maps can share one scale; 0.0 where there are none."""
    return float(cams.abs().max()) if cams.numel() else 0.0

"""The differences between our maps and those of captum, torchcam and pytorch-grad-cam, on real networks."""

from copy import deepcopy
from typing import Any

import numpy as np
import pytest
import torch
import torchvision
from torch import Tensor, nn

from camwidget.maps.formulas import positive
from camwidget.pictures.explain import explain, explain_methods
from tests.toys import picture

# The peers keep a layer's output itself, not a copy: an in-place module behind the layer overwrites what they kept. So
# they get a twin whose modules work in place nowhere, and no layer is here in front of an in-place function (the last
# batch norm of a densenet has one). Ours are made on the network as it comes.
NETWORKS = {
    "resnet18": ("layer1.1", "layer3.0", "layer4.1"),
    "mobilenet_v2": ("features.0", "features.10", "features.18"),
    "shufflenet_v2_x0_5": ("stage2", "stage3", "conv5"),
    "squeezenet1_1": ("features.4", "features.9", "features.12"),
    "densenet121": ("features.pool0", "features.transition2", "features.denseblock4"),
}


TOLERANCE = {torch.float32: 1e-5, torch.float64: 1e-12}


OF_TORCHCAM = {"grad_cam": "GradCAM", "xgrad_cam": "XGradCAM", "layer_cam": "LayerCAM"}


OF_GRAD_CAM = {"grad_cam": "GradCAM", "hires_cam": "HiResCAM", "xgrad_cam": "XGradCAM", "layer_cam": "LayerCAM"}


def network(name: str, dtype: torch.dtype) -> tuple[nn.Module, nn.Module]:
    """A network with random weights, and its twin for the peers."""
    model: nn.Module = getattr(torchvision.models, name)(weights=None, num_classes=20).to(dtype).eval()
    twin = deepcopy(model)
    for module in twin.modules():
        if hasattr(module, "inplace"):
            module.inplace = False
    return model, twin


def error(found: Tensor, expected: Tensor) -> float:
    """The largest difference, as a share of the largest magnitude."""
    assert found.shape == expected.shape
    assert expected.any()
    return float((found - expected).abs().max() / expected.abs().max())


def torchcams(kind: type, twin: nn.Module, layers: tuple[str, ...], inputs: Tensor, **settings: Any) -> list[Tensor]:
    """Its maps of class 3 before normalisation and before the last ReLU, so that signs are compared too."""
    with kind(twin, list(layers)) as extractor:
        extractor._relu = False
        return [each[0].detach() for each in extractor(3, twin(inputs), normalized=False, **settings)]


def errors_of_maps(name: str, dtype: torch.dtype) -> dict[tuple[str, str, str], float]:
    """Peer, method and layer to the error of our maps of one network."""
    captum, torchcam = pytest.importorskip("captum.attr"), pytest.importorskip("torchcam.methods")
    (model, twin), layers, inputs = network(name, dtype), NETWORKS[name], picture(height=64, width=96).to(dtype)

    result = explain_methods(model, inputs, methods=tuple(OF_TORCHCAM), layers=layers, target_classes=[3])

    errors = {}
    for layer in layers:
        expected = captum.LayerGradCam(twin, twin.get_submodule(layer)).attribute(inputs, target=3)[0, 0].detach()
        errors["captum", "grad_cam", layer] = error(result["grad_cam"].cam(layer), expected)
    for method, kind in OF_TORCHCAM.items():
        # Without the constant that torchcam adds to a denominator: ours needs none.
        settings = {"eps": 0.0} if method == "xgrad_cam" else {}
        expected = torchcams(getattr(torchcam, kind), twin, layers, inputs, **settings)
        for layer, cam in zip(layers, expected, strict=True):
            errors["torchcam", method, layer] = error(result[method].cam(layer), cam)
    return errors


READ_OUT = [
    ("resnet18", "layer4.1", "fc"),
    ("mobilenet_v2", "features.18", "classifier.1"),
    ("shufflenet_v2_x0_5", "conv5", "fc"),
    ("mnasnet0_5", "layers.16", "classifier.1"),
    ("regnet_y_400mf", "trunk_output", "fc"),
]


def error_of_cam(name: str, layer: str, classifier: str, dtype: torch.dtype) -> float:
    """The error of our plain CAM of one network against torchcam's."""
    methods = pytest.importorskip("torchcam.methods")
    (model, twin), inputs = network(name, dtype), picture(height=64, width=96).to(dtype)
    with torch.no_grad():  # some of these start so small that logits vanish beside the bias, and CAM is then not found
        model.get_submodule(classifier).weight.mul_(10)
        twin.get_submodule(classifier).weight.mul_(10)

    result = explain(model, inputs, method="cam", layers=[layer], target_classes=[3])

    with torch.no_grad(), methods.CAM(twin, layer, classifier) as extractor:
        extractor._relu = False
        twin(inputs)
        (expected,) = extractor(3, normalized=False)
    return error(result.cam(), expected[0])


def errors_of_scaled_maps(name: str) -> dict[tuple[str, str], float]:
    """Method and layer to the error of our maps against pytorch-grad-cam's, both scaled to 0 ... 1 in its way."""
    peer = pytest.importorskip("pytorch_grad_cam")
    model, twin = network(name, torch.float64)
    last = [module for module in model.modules() if isinstance(module, nn.Linear | nn.Conv2d)][-1]
    with torch.no_grad():
        # It adds a constant to the denominator of Grad-CAM++ that outweighs the squares of ordinary gradients, so the
        # gradients are made large.
        last.weight.mul_(1e6)
        twin.load_state_dict(model.state_dict())
    layers, inputs = NETWORKS[name], picture(height=64, width=96)
    kinds = OF_GRAD_CAM | {"grad_cam_plus_plus": "GradCAMPlusPlus"}
    target = peer.utils.model_targets.ClassifierOutputTarget(3)

    result = explain_methods(model, inputs, methods=tuple(kinds), layers=layers, target_classes=[3])

    errors = {}
    for method, kind in kinds.items():
        for layer in layers:
            with getattr(peer, kind)(twin, [twin.get_submodule(layer)]) as extractor:
                expected = extractor(inputs, [target])[0]
            scaled = peer.utils.image.scale_cam_image
            found = scaled(scaled(positive(result[method].cam(layer))[None].numpy(), (96, 64)))[0]
            assert expected.any() == found.any()
            errors[method, layer] = float(np.abs(found - expected).max())
    return errors

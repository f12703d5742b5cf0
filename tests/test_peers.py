"""On a real network the maps equal those of captum and torchcam, and looking for plain CAM stays cheap."""

from collections.abc import Iterator

import pytest
import torch
import torchvision
from torch import nn

from camwidget.explain import explain, explain_methods
from camwidget.maps import positive
from tests.toys import (
    picture,
)


@pytest.fixture(scope="module")
def resnet() -> Iterator[nn.Module]:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(7)
        yield torchvision.models.resnet18(weights=None).double().eval()


def without_in_place(model: nn.Module) -> nn.Module:
    twin = torchvision.models.resnet18(weights=None).double().eval()
    twin.load_state_dict(model.state_dict())
    for module in twin.modules():
        if isinstance(module, nn.ReLU):
            module.inplace = False
    return twin


# The batch norms are followed by an in-place ReLU, where the two libraries give the wrong map; a twin network shows it.
RESNET_LAYERS = ["bn1", "layer2.0", "layer3.1.bn1", "layer4.1"]


def test_grad_cam_equals_captums(resnet: nn.Module) -> None:
    captum = pytest.importorskip("captum.attr")
    inputs, twin = picture(height=64, width=96), without_in_place(resnet)

    result = explain(resnet, inputs, layers=RESNET_LAYERS, target_classes=[3, 501])

    for name in RESNET_LAYERS:
        for index in (3, 501):
            expected = (
                captum.LayerGradCam(twin, twin.get_submodule(name)).attribute(inputs, target=index)[0, 0].detach()
            )
            error = (result.cam(name, index) - expected).abs().max() / expected.abs().max()
            assert error.item() <= 1e-12


def test_grad_cam_equals_torchcams(resnet: nn.Module) -> None:
    methods = pytest.importorskip("torchcam.methods")
    inputs, twin, targets = picture(height=64, width=96), without_in_place(resnet), [3, 250, 501, 702]

    result = explain(resnet, inputs, layers=RESNET_LAYERS, target_classes=targets)

    for name in RESNET_LAYERS:
        with methods.GradCAM(twin, twin.get_submodule(name)) as extractor:
            expected = torch.cat([extractor(index, twin(inputs), normalized=False)[0] for index in targets])
        assert expected.max() > 0
        found = positive(result.cams[name])  # torchcam applies the ReLU of the paper
        assert ((found - expected).abs().max() / expected.max()).item() <= 1e-12


def test_cam_equals_torchcams(resnet: nn.Module) -> None:
    methods = pytest.importorskip("torchcam.methods")
    inputs = picture(height=64, width=96)

    result = explain(resnet, inputs, method="cam", target_classes=[501])

    with torch.no_grad(), methods.CAM(resnet, "layer4", "fc") as extractor:
        resnet(inputs)
        (expected,) = extractor(501, normalized=False)
    torch.testing.assert_close(result.cam("layer4.1").clamp(min=0), expected[0].clamp(min=0), rtol=1e-10, atol=1e-12)


def test_looking_for_plain_cam_takes_a_few_forward_passes_more_however_many_layers(resnet: nn.Module) -> None:
    forwards: list[int] = []
    handle = resnet.register_forward_hook(lambda *_: forwards.append(1))

    found = explain_methods(resnet, picture(height=64, width=96), target_classes=[0])
    handle.remove()

    assert len(found["cam"].refusals) == 8
    assert len(forwards) == 1 + 3 + 1  # capture; zero and two random activations at the last block; what stands between

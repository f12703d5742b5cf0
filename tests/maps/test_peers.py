"""On real networks the maps equal those of captum, torchcam and pytorch-grad-cam; looking for plain CAM stays cheap."""

from collections.abc import Iterator

import pytest
import torch
import torchvision
from torch import nn

from camwidget.hooks.capture import LayerCapture
from camwidget.maps.formulas import eigen_cam, positive
from camwidget.pictures.explain import explain, explain_methods
from tests.maps.peers import (
    NETWORKS,
    READ_OUT,
    TOLERANCE,
    error,
    error_of_cam,
    errors_of_maps,
    errors_of_scaled_maps,
    network,
    torchcams,
)
from tests.toys import (
    picture,
)

pytestmark = pytest.mark.slow


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
    # the capture; at the last block zero and three random activations; what lies between
    assert len(forwards) == 1 + 4 + 1


@pytest.mark.parametrize("dtype", TOLERANCE, ids=str)
@pytest.mark.parametrize("name", NETWORKS)
def test_five_networks_have_the_maps_of_captum_and_torchcam(name: str, dtype: torch.dtype) -> None:
    errors = errors_of_maps(name, dtype)

    assert len(errors) == 12
    assert {where: each for where, each in errors.items() if not each <= TOLERANCE[dtype]} == {}


@pytest.mark.parametrize("dtype", TOLERANCE, ids=str)
@pytest.mark.parametrize(("name", "layer", "classifier"), READ_OUT)
def test_five_networks_have_the_cam_of_torchcam(name: str, layer: str, classifier: str, dtype: torch.dtype) -> None:
    assert error_of_cam(name, layer, classifier, dtype) <= TOLERANCE[dtype]


def test_torchcams_grad_cam_plus_plus_leaves_out_the_division() -> None:
    """torchcam 0.5.0 divides a copy that it then drops: its weights are sum g^2 ReLU(g), which is no Grad-CAM++."""
    methods = pytest.importorskip("torchcam.methods")
    (model, twin), layer, inputs = network("resnet18", torch.float64), "layer4.1", picture(height=64, width=96)
    with LayerCapture(model, [layer]) as capture:
        capture.forward(inputs)
        activation, gradient = capture.activations[layer].detach(), capture.gradients(3)[layer]
    undivided = torch.einsum("bk,bkij->bij", (gradient**2 * positive(gradient)).sum(dim=(2, 3)), activation)[0]

    (expected,) = torchcams(methods.GradCAMpp, twin, (layer,), inputs)

    assert error(undivided, expected) <= 1e-12
    assert error(explain(model, inputs, method="grad_cam_plus_plus", layers=[layer]).cam(), expected) > 1


@pytest.mark.parametrize("name", ["resnet18", "squeezenet1_1"])
def test_scaled_as_pytorch_grad_cam_scales_them_the_maps_are_its_own(name: str) -> None:
    errors = errors_of_scaled_maps(name)

    assert len(errors) == 15
    assert {where: each for where, each in errors.items() if not each <= 1e-5} == {}


def test_eigen_cam_of_a_centred_activation_is_that_of_pytorch_grad_cam_but_for_the_sign() -> None:
    project = pytest.importorskip("pytorch_grad_cam.utils.svd_on_activations").get_2d_projection
    activation = torch.rand(2, 6, 4, 7, dtype=torch.float64)

    expected = torch.from_numpy(project(activation.numpy())).double()

    found = eigen_cam(activation - activation.mean(dim=(2, 3), keepdim=True))
    for cam, other in zip(found, expected, strict=True):
        assert min(error(cam, other), error(-cam, other)) <= 1e-5

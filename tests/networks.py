"""What `explain` makes of every kind of network without help. Prints NETWORKS.md:

python -m tests.networks > NETWORKS.md
"""

import importlib.metadata
import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from camwidget.errors import CamwidgetError
from camwidget.maps import methods
from camwidget.pictures.explain import explain_methods
from camwidget.pictures.result import Explanation

ON_REQUEST: frozenset[str] = frozenset(getattr(methods, "EXPENSIVE", ()))
"""Methods that take a forward pass per channel; they are not run here."""

CHEAP = tuple(method for method in methods.METHODS if method not in ON_REQUEST)
"""Methods that are run."""

CLASSES = 5

TORCHVISION: dict[str, tuple[str, dict[str, Any], tuple[int, int]]] = {
    "AlexNet": ("alexnet", {}, (64, 96)),
    "VGG": ("vgg11", {"init_weights": False}, (64, 96)),
    "VGG with batch norm": ("vgg11_bn", {"init_weights": False}, (64, 96)),
    "ResNet": ("resnet18", {}, (64, 96)),
    "ResNeXt": ("resnext50_32x4d", {}, (64, 96)),
    "Wide ResNet": ("wide_resnet50_2", {}, (64, 96)),
    "DenseNet": ("densenet121", {}, (64, 96)),
    "GoogLeNet": ("googlenet", {"init_weights": False}, (64, 96)),
    "Inception v3": ("inception_v3", {"init_weights": False}, (96, 128)),
    "MobileNet v2": ("mobilenet_v2", {}, (64, 96)),
    "MobileNet v3": ("mobilenet_v3_small", {}, (64, 96)),
    "MNASNet": ("mnasnet0_5", {}, (64, 96)),
    "ShuffleNet v2": ("shufflenet_v2_x0_5", {}, (64, 96)),
    "SqueezeNet": ("squeezenet1_1", {}, (64, 96)),
    "EfficientNet": ("efficientnet_b0", {}, (64, 96)),
    "EfficientNet v2": ("efficientnet_v2_s", {}, (64, 96)),
    "RegNet X": ("regnet_x_400mf", {}, (64, 96)),
    "RegNet Y": ("regnet_y_400mf", {}, (64, 96)),
    "ConvNeXt": ("convnext_tiny", {}, (64, 96)),
    "Swin": ("swin_t", {}, (64, 96)),
    "Swin v2": ("swin_v2_t", {}, (64, 96)),
    "ViT": ("vit_b_16", {"image_size": 64}, (64, 64)),
    "MaxViT": ("maxvit_t", {}, (224, 224)),
}

SIZED = {"img_size": (64, 96)}
TIMM: dict[str, tuple[str, dict[str, Any], tuple[int, int]]] = {
    "ResNet-T": ("resnet10t", {}, (64, 96)),
    "RegNet": ("regnety_002", {}, (64, 96)),
    "RepVGG": ("repvgg_a0", {}, (64, 96)),
    "EfficientNet-Lite": ("tf_efficientnet_lite0", {}, (64, 96)),
    "MobileNet v3": ("mobilenetv3_small_050", {}, (64, 96)),
    "GhostNet": ("ghostnet_100", {}, (64, 96)),
    "ReXNet": ("rexnet_100", {}, (64, 96)),
    "DenseNet": ("densenet121", {}, (64, 96)),
    "DLA": ("dla46_c", {}, (64, 96)),
    "HRNet": ("hrnet_w18_small", {}, (64, 96)),
    "Xception": ("legacy_xception", {}, (64, 96)),
    "NFNet": ("nfnet_l0", {}, (64, 96)),
    "ConvNeXt": ("convnext_atto", {}, (64, 96)),
    "EdgeNeXt": ("edgenext_xx_small", {}, (64, 96)),
    "MobileViT": ("mobilevit_xxs", {}, (64, 96)),
    "MambaOut": ("mambaout_femto", {}, (64, 96)),
    "CoAtNet": ("coatnet_nano_rw_224", SIZED, (64, 96)),
    "PVT v2": ("pvt_v2_b0", {}, (64, 96)),
    "ViT": ("vit_tiny_patch16_224", SIZED, (64, 96)),
    "ViT with registers (DINOv3)": ("vit_small_patch16_dinov3", {}, (64, 96)),
    "DeiT, distilled": ("deit_tiny_distilled_patch16_224", SIZED, (64, 96)),
    "CrossViT": ("crossvit_tiny_240", {}, (64, 96)),
    "PiT": ("pit_ti_224", {}, (224, 224)),
    "Swin": ("swin_tiny_patch4_window7_224", SIZED, (64, 96)),
    "XCiT": ("xcit_nano_12_p16_224", {}, (64, 96)),
    "LeViT": ("levit_128s", {}, (224, 224)),
    "MLP-Mixer": ("mixer_s32_224", {"img_size": (128, 192)}, (128, 192)),
    "ResMLP": ("resmlp_12_224", SIZED, (64, 96)),
    "ConvNeXt, channels equal a side": ("convnext_atto", {}, (160, 160)),
    "ConvNeXt v2, channels equal a side": ("convnextv2_atto", {}, (160, 160)),
    "EdgeNeXt, channels equal a side": ("edgenext_xx_small", {}, (96, 96)),
    "MambaOut, channels equal a side": ("mambaout_femto", {}, (192, 192)),
}


@dataclass(frozen=True)
class Network:
    """One network of the table."""

    library: str
    family: str
    member: str
    make: Callable[[], nn.Module]
    size: tuple[int, int]


def from_torchvision(name: str, options: Mapping[str, Any]) -> nn.Module:
    import torchvision

    return getattr(torchvision.models, name)(weights=None, num_classes=CLASSES, **options)


def from_timm(name: str, options: Mapping[str, Any]) -> nn.Module:
    import timm

    return timm.create_model(name, pretrained=False, num_classes=CLASSES, **options)


def from_fastai(head: Mapping[str, Any]) -> nn.Module:
    """What `vision_learner` makes, without the data."""
    import torchvision
    from fastai.vision.learner import create_vision_model

    return create_vision_model(torchvision.models.resnet18, CLASSES, pretrained=False, **head)


def networks() -> list[Network]:
    """All of them."""
    linear = {"concat_pool": False, "lin_ftrs": []}
    return [
        *(
            Network(
                "torchvision", family, name, lambda name=name, options=options: from_torchvision(name, options), size
            )
            for family, (name, options, size) in TORCHVISION.items()
        ),
        *(
            Network("timm", family, name, lambda name=name, options=options: from_timm(name, options), size)
            for family, (name, options, size) in TIMM.items()
        ),
        Network("fastai", "vision_learner", "resnet18", lambda: from_fastai({}), (64, 96)),
        Network(
            "fastai",
            "vision_learner",
            "resnet18, concat_pool=False, lin_ftrs=[]",
            lambda: from_fastai(linear),
            (64, 96),
        ),
    ]


def explained(network: Network) -> dict[str, Explanation | str]:
    """What each method says about a random picture, or why it says nothing."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model, inputs = network.make(), torch.randn(1, 3, *network.size)
        for parameter in model.parameters():
            if parameter.ndim > 1 and not bool(parameter.any()):
                nn.init.normal_(parameter, std=0.1)  # an untrained classifier of zeros reads nothing
        try:
            return dict(explain_methods(model, inputs, methods=CHEAP, target_classes=[0, 3]))
        except CamwidgetError:
            return {method: one(model, inputs, method) for method in CHEAP}


def one(model: nn.Module, inputs: torch.Tensor, method: str) -> Explanation | str:
    try:
        return explain_methods(model, inputs, methods=(method,), target_classes=[0, 3])[method]
    except CamwidgetError as error:
        return str(error)


def row(network: Network, results: Mapping[str, Explanation | str]) -> str:
    """One line of the table."""
    layers = next(
        (result.layers for name, result in results.items() if isinstance(result, Explanation) and name != "cam"), ()
    )
    sizes = list(dict.fromkeys(f"{layer.map_height}×{layer.map_width}" for layer in layers))
    ends = [f"`{layers[index].name}`" for index in (0, -1)] if layers else ["", ""]
    size = "×".join(map(str, network.size))
    start = (network.library, network.family, network.member, size, len(layers), *ends, ", ".join(sizes))
    return line(
        *start,
        cell(results["cam"]),
        others({name: cell(results[name], of=len(layers)) for name in CHEAP if name != "cam"}),
    )


def others(cells: Mapping[str, str]) -> str:
    """What the methods besides plain CAM give: one word if it is the same."""
    usual = Counter(cells.values()).most_common(1)[0][0]
    return "; ".join([usual, *(f"{name}: {what}" for name, what in cells.items() if what != usual)])


def line(*cells: object) -> str:
    return f"| {' | '.join(map(str, cells))} |"


def cell(result: Explanation | str, *, of: int = 0) -> str:
    """Whether there are maps, of all layers or how many; for plain CAM, from which, or why not from the deepest."""
    if isinstance(result, str):
        return result
    if result.method != "cam":
        return "map" if len(result.cams) == of else f"map of {len(result.cams)} of {of} layers"
    if result.cams:
        names = [f"`{name}`" for name in result.cams]
        return f"map from {', '.join(names) if len(names) < 3 else f'{names[0]} to {names[-1]} ({len(names)} layers)'}"
    reason = list(result.refusals.values())[-1]
    between = re.search(r"Between it and the classes: .*?\.(?= CAM)", reason)
    return between[0] if between else reason


def versions() -> str:
    """The one line that may differ."""
    packages = [f"{name} {importlib.metadata.version(name)}" for name in ("torch", "torchvision", "timm", "fastai")]
    return f"Made with {', '.join(packages)}."


def head() -> list[str]:
    """What comes before the rows."""
    columns = ["Library", "Family", "Member", "Picture", "Layers", "First", "Last", "Map sizes", "cam", "Other methods"]
    return [
        "# Networks",
        "",
        "What `explain` makes of networks without help: which layers it chooses, and whether each method gives maps",
        "there. All weights are random. Pictures are small, and not square if the network takes such pictures.",
        "",
        "- *map*: every chosen layer has a map, finite and of the layer's size.",
        "- *cam*: the layers from which plain CAM holds; otherwise, what is between the last layer and the classes.",
        f"- *Other methods*: {', '.join(name for name in CHEAP if name != 'cam')}. Not run, for they need a forward",
        f"  pass per channel: {', '.join(sorted(ON_REQUEST)) or 'none'}.",
        "",
        "Where shapes leave a doubt, the network is asked which places answer to those of the picture. Layers that do",
        "not answer row by row are left out: Hiera's earlier tokens, which run otherwise, and LeViT's last, whose",
        "places are lost without training (attention alone mixes them). HiResCAM has no map where the next step",
        "normalises each place (layer normalisation): its parts cancel, and what would be left is rounding.",
        "",
        "A test makes every row again. `python -m tests.networks > NETWORKS.md` rewrites the table.",
        "",
        versions(),
        "",
        line(*columns),
        line(*("---" for _ in columns)),
    ]


def main() -> None:
    print("\n".join([*head(), *(row(network, explained(network)) for network in networks())]))


if __name__ == "__main__":
    main()

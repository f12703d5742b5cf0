"""The embedded learner and pictures: real weights, no network, and the chapter's own lines on them."""

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import timm
import torch
from fastai.torch_core import TensorImage
from fastai.vision.augment import Resize
from fastai.vision.core import PILImage
from fastcore.basics import first
from matplotlib.figure import Figure
from PIL import Image
from torch import nn

from camwidget.errors import CamwidgetError
from camwidget.pictures.demo import _weights, demo_image, demo_images, demo_learner, pets_learner
from tests.patience import HANGING_S


@pytest.fixture
def learn() -> Any:
    return demo_learner()


def cat_inputs(learn: Any) -> torch.Tensor:
    (inputs,) = first(learn.dls.test_dl([demo_image("cat")]))
    return inputs


def test_the_network_is_timms_with_the_packaged_weights() -> None:
    reference = timm.create_model("tf_efficientnet_lite0", pretrained=False).eval()
    reference.load_state_dict(dict(zip(reference.state_dict(), _weights().values(), strict=True)))
    learn = demo_learner("imagenet")
    inputs = torch.randn(2, 3, 96, 128)

    with torch.no_grad():
        model = learn.model.eval()
        assert torch.equal(model[0](inputs), reference.forward_features(inputs))
        assert torch.allclose(model(inputs), reference(inputs), atol=1e-5)


def test_it_tells_the_cat_from_a_dog(learn: Any) -> None:
    with torch.no_grad():
        probabilities = learn.model.eval()(cat_inputs(learn)).softmax(dim=1)[0]

    assert list(learn.dls.vocab) == [False, True]
    assert float(probabilities[1]) == pytest.approx(0.999, abs=5e-4)


@pytest.mark.parametrize(
    ("name", "expected"),
    [("cat", {"Egyptian cat", "tabby", "tiger cat"}), ("coffee", {"espresso"}), ("officer", {"military uniform"})],
)
def test_the_imagenet_learner_knows_what_is_on_the_pictures(name: str, expected: set[str]) -> None:
    learn = demo_learner("imagenet")
    (inputs,) = first(learn.dls.test_dl([demo_image(name)]))

    with torch.no_grad():
        best = int(learn.model.eval()(inputs).argmax())

    assert learn.dls.vocab[best] in expected
    assert len(set(learn.dls.vocab)) == 1000


def test_a_hook_and_one_einsum_give_a_map_that_adds_up_to_the_logit(learn: Any) -> None:
    class Keep:
        def __call__(self, module: nn.Module, inputs: Any, output: torch.Tensor) -> None:
            self.stored = output.detach().clone()

    keep = Keep()
    handle = learn.model[0].register_forward_hook(keep)
    with torch.no_grad():
        output = learn.model.eval()(cat_inputs(learn))
    handle.remove()

    cam_map = torch.einsum("ck,kij->cij", learn.model[1][-1].weight, keep.stored[0])

    assert keep.stored.shape == (1, 1280, 7, 7)
    assert torch.allclose(cam_map.mean(dim=(1, 2)) + learn.model[1][-1].bias, output[0], atol=1e-4)


class KeepGradient:
    """The simplest hook that a beginner writes."""

    def __init__(self, module: nn.Module) -> None:
        self.handle = module.register_backward_hook(self.keep)

    def keep(self, module: nn.Module, gradient_in: Any, gradient_out: Any) -> None:
        self.stored = gradient_out[0].detach().clone()


# PyTorch would rather have its full hook on a module of many steps
@pytest.mark.filterwarnings("ignore:Using a non-full backward hook:FutureWarning")
@pytest.mark.parametrize("place", ["the whole body", "the layer before the last"])
def test_the_simplest_backward_hook_stores_the_gradient_of_the_output(learn: Any, place: str) -> None:
    module = learn.model[0] if place == "the whole body" else learn.model[0][-2]
    hook = KeepGradient(module)
    gradients: list[torch.Tensor] = []

    def keep_reference(_: nn.Module, __: Any, output: torch.Tensor) -> None:
        output.register_hook(gradients.append)

    module.register_forward_hook(keep_reference)

    learn.model.eval()(cat_inputs(learn))[0, 1].backward()

    assert hook.stored.shape[2:] == (7, 7)
    assert torch.equal(hook.stored, gradients[0])
    if place == "the whole body":  # the head is a mean and a linear layer
        row = learn.model[1][-1].weight[1].detach()
        assert torch.allclose(hook.stored[0], (row / 49)[:, None, None].expand(-1, 7, 7), atol=1e-7)


@pytest.mark.parametrize("layer", [-1, -2])
def test_grad_cam_by_hand_works_on_the_last_layers(learn: Any, layer: int) -> None:
    module = learn.model[0][layer]
    kept: dict[str, torch.Tensor] = {}
    handles = [
        module.register_forward_hook(lambda _, __, output: kept.update(activation=output.detach().clone())),
        module.register_full_backward_hook(lambda _, __, gradient: kept.update(gradient=gradient[0].clone())),
    ]
    output = learn.model.eval()(cat_inputs(learn))
    output[0, 1].backward()
    for handle in handles:
        handle.remove()

    weights = kept["gradient"][0].mean(dim=[1, 2], keepdim=True)
    cam_map = (weights * kept["activation"][0]).sum(0)

    assert cam_map.shape == (7, 7)
    assert float(cam_map.max()) > 0
    if layer == -1:
        assert (cam_map.sum() + learn.model[1][-1].bias[1]).item() == pytest.approx(output[0, 1].item(), abs=1e-4)


# fastai hands a tensor subclass to matplotlib, which numpy 2 remarks on
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_decode_gives_the_photograph_back(learn: Any) -> None:
    inputs = cat_inputs(learn)

    decoded = TensorImage(learn.dls.train.decode((inputs,))[0][0])
    axes = Figure().subplots()
    decoded.show(ctx=axes)

    photograph = demo_image("cat").resize((337, 224), Image.Resampling.BILINEAR)
    left = (photograph.width - 224) // 2
    cut = np.asarray(photograph.crop((left, 0, left + 224, 224))).astype(float)
    assert (
        np.abs(decoded.as_subclass(torch.Tensor).numpy().transpose(1, 2, 0) - cut).mean() < 2
    )  # of 255: the two scale down in another order
    assert len(axes.images) == 1
    # and within one grey level of what was cut out before it was normalised
    before = np.asarray(Resize(224)(PILImage.create(demo_image("cat")), split_idx=1)).astype(float)
    assert np.abs(decoded.as_subclass(torch.Tensor).numpy().transpose(1, 2, 0) - before).max() <= 1


def test_pictures_of_every_form_go_through_test_dl(learn: Any, tmp_path: Path) -> None:
    path = tmp_path / "cat.png"
    demo_image("cat").save(path)

    batches = [first(learn.dls.test_dl([each]))[0] for each in (demo_image("cat"), PILImage.create(path), path)]

    assert torch.equal(batches[0], batches[1])
    assert torch.equal(batches[0], batches[2])


def test_the_pictures_are_normalised_as_in_training(learn: Any) -> None:
    """The stem's batch norm remembers the spread of its inputs in training: with the right scale it is met again."""
    seen: list[torch.Tensor] = []
    stem = learn.model[0][0]
    handle = stem[1].register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].detach()))
    names = [name for name in demo_images() if name != "cat and coffee"]
    with torch.no_grad():
        for (inputs,) in learn.dls.test_dl([demo_image(name) for name in names], bs=len(names)):
            learn.model.eval()(inputs.as_subclass(torch.Tensor))
    handle.remove()

    ratio = torch.cat(seen).var(dim=(0, 2, 3)) / stem[1].running_var

    # eight pictures are few: within a factor of 1.5, where ImageNet's usual mean and deviation would give 4.5
    assert 1 / 1.5 < ratio.median().item() < 1.5


def test_a_learner_does_not_move_the_random_numbers() -> None:
    before = torch.get_rng_state()

    demo_learner()

    assert torch.equal(torch.get_rng_state(), before)


def test_a_broken_learner_does_not_break_the_next() -> None:
    first_learner = demo_learner()
    with torch.no_grad():
        for parameter in first_learner.model.parameters():
            parameter.zero_()

    assert float(demo_learner().model[1][-1].weight.detach().abs().max()) > 0


def test_every_picture_is_there_and_the_pair_is_a_square() -> None:
    sizes = {name: demo_image(name).size for name in demo_images()}

    assert len(sizes) >= 8
    assert sizes["cat"] == (451, 300)
    assert sizes["cat and coffee"][0] == sizes["cat and coffee"][1]


def test_unknown_names_get_the_nearest() -> None:
    with pytest.raises(CamwidgetError, match=r"no demo picture 'cofee'.*There are cat, .*Did you mean 'coffee'"):
        demo_image("cofee")
    with pytest.raises(CamwidgetError, match=r"no demo picture 'zzz'.*There are cat, .*pass its path"):
        demo_image("zzz")
    with pytest.raises(CamwidgetError, match=r"no demo learner 'imagnet'.*Did you mean 'imagenet'"):
        demo_learner("imagnet")


OFFLINE = """\
import camwidget as cw
for name in cw.demo_images():
    cw.demo_image(name)
learn = cw.demo_learner()
result = cw.explain(learn, cw.demo_image())
assert float(result.probabilities[1]) > 0.99
wide = cw.explain(cw.demo_learner("imagenet"), cw.demo_image("coffee"), layers=["0.8"])
print(wide.class_names[wide.target_classes[0]])
"""
NO_SOCKET = """\
import atexit, os, socket, sys
asked = []
def refuse(*given, **__):
    if sys._getframe(1).f_code.co_name != "_has_ipv6":  # urllib3 only tries whether this machine has such sockets
        asked.append(given)
    raise OSError("there is no network")
def tell():
    if asked:  # also where somebody caught the error and went on
        print("asked for the network:", asked, flush=True)
        os._exit(3)
atexit.register(tell)
socket.socket.__init__ = socket.getaddrinfo = socket.create_connection = refuse
"""


@pytest.mark.slow
def test_nothing_asks_for_a_network(tmp_path: Path) -> None:
    """Python's sockets are refused and remembered; where the system allows it, there is no network below them."""
    alone = ["unshare", "--net"] if os.geteuid() == 0 else ["unshare", "--net", "--map-root-user"]
    if shutil.which("unshare") is None or subprocess.run([*alone, "true"], capture_output=True).returncode != 0:
        alone = []
    command = [*alone, sys.executable, "-W", "error::RuntimeWarning", "-c", NO_SOCKET + OFFLINE]
    # a home of its own: nothing may come from a cache that an earlier download left
    environment = {**os.environ, "HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path), "TORCH_HOME": str(tmp_path)}

    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=HANGING_S)

    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.strip() == "espresso"
    assert done.stderr == ""


@pytest.fixture
def pets(tmp_path: Path) -> Path:
    """A folder of the same form as the pets: a capital letter for cats."""
    for number in range(6):
        for name in (f"Birman_{number}.jpg", f"beagle_{number}.jpg"):
            noise = torch.randint(0, 256, (40, 60, 3), dtype=torch.uint8).numpy()
            Image.fromarray(noise).save(tmp_path / name)
    return tmp_path


@pytest.mark.slow
def test_the_chapters_training_runs_on_a_folder_of_the_same_form(pets: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("camwidget.pictures.demo.SIZE", 64)  # what is trained is looked at by no one
    learner = pets_learner(pets, pretrained=False, batch_size=4)

    assert list(learner.dls.vocab) == [False, True]
    assert len(learner.dls.train_ds) + len(learner.dls.valid_ds) == 12
    assert len(learner.recorder.values) == 1  # one unfrozen epoch, after the frozen one
    labels = {
        Path(path).name: bool(learner.dls.train_ds.vocab[label])
        for path, (_, label) in zip(learner.dls.train_ds.items, learner.dls.train_ds, strict=True)
    }
    assert all(is_cat == name.startswith("Birman") for name, is_cat in labels.items())


def test_without_a_network_the_training_says_what_to_use(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import fastai.vision.all

    def unreachable(_: str) -> Path:
        raise OSError("name resolution failed")

    monkeypatch.setattr(fastai.vision.all, "untar_data", unreachable)

    with pytest.raises(CamwidgetError, match=r"name resolution failed.*first time.*demo_learner\(\)"):
        pets_learner()
    with pytest.raises(CamwidgetError, match="There is no picture in"):
        pets_learner(tmp_path)


def test_what_a_real_failure_to_download_raises_is_caught(
    monkeypatch: pytest.MonkeyPatch, pets: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    import fastai.data.external

    home = tmp_path_factory.mktemp("home")
    # written here, because fastai leaves the file open that it writes
    (home / "config.ini").write_text("[DEFAULT]\ndata = data\narchive = archive\nstorage = tmp\nmodel = models\n")
    monkeypatch.setenv("FASTAI_HOME", str(home))
    monkeypatch.setenv("TORCH_HOME", str(home))
    fastai.data.external.fastai_cfg.cache_clear()

    def refuse(*_: Any, **__: Any) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    try:
        for path in (None, pets):  # the pictures, then the weights
            with pytest.raises(CamwidgetError, match=r"could not be downloaded.*needs a network.*demo_learner\(\)"):
                pets_learner(path)
    finally:
        fastai.data.external.fastai_cfg.cache_clear()


def test_a_folder_of_cats_alone_is_refused(pets: Path) -> None:
    for dog in pets.glob("beagle_*"):
        dog.unlink()

    with pytest.raises(CamwidgetError, match=r"'Birman_\d\.jpg'.*only one class.*capital letter.*Rename"):
        pets_learner(pets, pretrained=False)

"""A data set's mistakes with two maps each, over a bare forward pass and beside the peers; and memory by picture.

    python -m tests.benchmarks.mistakes [--rounds 5]
    python -m tests.benchmarks.mistakes --memory 20000

A resnet34 with random weights, 64 pictures at 224 x 224 in batches of 16, Grad-CAM of two classes at the last layer.
The bare pass is the same batches through the same network without gradients. All take turns within one run.

The peers are called as their READMEs say: `torchcam.explain.explain` with the class it is beside the one predicted, an
extractor with a forward pass for each class, pytorch-grad-cam with a target for each picture. READMEs show one picture;
where a library takes several, it gets the same batches as we do. Last comes what only the signature tells: torchcam in
batches with `retain_graph=True`, one forward pass for both classes. That is the same arithmetic as ours, without the
probabilities, the loss, the table, and the questions whether the map means what it says.

Memory is the peak of a pass in a process of its own, for as many pictures and for three times as many: what the second
takes more than the first, shared out over the pictures it has more, leaves out what a pass takes whatever its length.
"""

import argparse
import resource
import statistics
import time
import warnings
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset, TensorDataset
from torchvision.models import resnet34

from camwidget import find_mistakes

COUNT, BATCH, LAYER = 64, 16, "layer4"


def bare(model: nn.Module, loader: DataLoader) -> None:
    with torch.no_grad():
        for pixels, _ in loader:
            model(pixels)


def ours(model: nn.Module, loader: DataLoader) -> None:
    find_mistakes(model, loader, layer=LAYER, progress=False)


def torchcam_loop(model: nn.Module, loader: DataLoader) -> None:
    from torchcam.methods import GradCAM

    with GradCAM(model, target_layer=LAYER) as extractor:
        for pixels, labels in loader:
            for true in (False, True):
                logits = model(pixels)
                targets = labels if true else logits.argmax(1)
                extractor(targets.tolist(), logits)


def torchcam_explain(model: nn.Module, loader: DataLoader) -> None:
    from torchcam.explain import explain

    for pixels, labels in loader:
        for picture, label in zip(pixels, labels, strict=True):
            explain(model, picture.unsqueeze(0), expected_class_idx=int(label), target_layer=LAYER)


def torchcam_one_pass(model: nn.Module, loader: DataLoader) -> None:
    from torchcam.methods import GradCAM

    with GradCAM(model, target_layer=LAYER) as extractor:
        for pixels, labels in loader:
            logits = model(pixels)
            extractor(logits.argmax(1).tolist(), logits, retain_graph=True)
            extractor(labels.tolist(), logits)


def grad_cam_loop(model: nn.Module, loader: DataLoader) -> None:
    from pytorch_grad_cam import GradCAM
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

    with GradCAM(model=model, target_layers=[model.get_submodule(LAYER)]) as method:
        for pixels, labels in loader:
            method(input_tensor=pixels, targets=None)  # the most probable class
            method(input_tensor=pixels, targets=[ClassifierOutputTarget(int(label)) for label in labels])


def seconds(run: Callable[[nn.Module, DataLoader], None], model: nn.Module, loader: DataLoader) -> float:
    start = time.perf_counter()
    run(model, loader)
    return time.perf_counter() - start


def speed(rounds: int) -> None:
    model = resnet34(weights=None).eval()
    loader = DataLoader(TensorDataset(torch.randn(COUNT, 3, 224, 224), torch.arange(COUNT)), batch_size=BATCH)
    contestants = {
        "bare forward": bare,
        "camwidget": ours,
        "torchcam, its explain": torchcam_explain,
        "torchcam in batches": torchcam_loop,
        "pytorch-grad-cam": grad_cam_loop,
        "torchcam, retain_graph": torchcam_one_pass,
    }
    times: dict[str, list[float]] = {name: [] for name in contestants}
    bare(model, loader)
    for _ in range(rounds):
        for name, run in contestants.items():
            times[name].append(seconds(run, model, loader))
    print(f"resnet34, {COUNT} pictures of 224 x 224 in batches of {BATCH}, {torch.get_num_threads()} threads")
    print(f"{'':22}{'turns':>6}{'ms a picture':>14}{'over bare':>11}{'over camwidget':>16}")
    for name, taken in times.items():
        over = [
            statistics.median([mine / other for mine, other in zip(taken, times[each], strict=True)])
            for each in ("bare forward", "camwidget")
        ]
        middle = 1000 * statistics.median(taken) / COUNT
        print(f"{name:22}{len(taken):>6}{middle:>14.1f}{over[0]:>11.2f}{over[1]:>16.2f}")


class Made(Dataset):
    """Pictures that are made when they are read."""

    def __init__(self, count: int) -> None:
        self.samples = [
            (f"/pictures/validation/a class of some length/{index:08d}.jpg", index % 4) for index in range(count)
        ]

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        return torch.full((3, 56, 56), index / len(self)), self.samples[index][1]


def peak_of(count: int) -> int:
    """Bytes that a pass over so many pictures took at most, beyond what was there before."""
    body = nn.Sequential(nn.Conv2d(3, 8, 8, stride=8), nn.ReLU())
    model = nn.Sequential(body, nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 4))).eval()
    find_mistakes(model, DataLoader(Made(2000), batch_size=64), progress=False)  # what a first pass loads
    loader = DataLoader(Made(count), batch_size=64)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    found = find_mistakes(model, loader, progress=False)
    peak = 1024 * (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
    table, maps = int(found.table.memory_usage(deep=True).sum()), found.maps.nbytes
    print(f"{count} pictures, two maps of {found.maps.shape[2]} x {found.maps.shape[3]} cells each")
    print(f"table {table / count:.0f} bytes a picture, paths among them; maps {maps / count:.0f}")
    print(f"peak of the pass over what was there: {peak / count:.0f} bytes a picture, {peak / 1e6:.1f} MB", flush=True)
    return peak - maps


def memory(count: int) -> None:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn"), max_tasks_per_child=1) as alone:
        fewer, more = (alone.submit(peak_of, each).result() for each in (count, 3 * count))
    print(f"beside its maps, each further picture takes {(more - fewer) / (2 * count):.0f} bytes")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=5, help="turns of each")
    parser.add_argument("--memory", type=int, help="measure memory with so many pictures instead")
    asked = parser.parse_args()
    warnings.simplefilter("ignore")
    torch.manual_seed(0)
    memory(asked.memory) if asked.memory else speed(asked.rounds)


if __name__ == "__main__":
    main()

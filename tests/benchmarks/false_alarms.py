"""How often a group of maps is pointed out, and found needed, where no fault was planted.

    python -m tests.benchmarks.false_alarms [--runs 20]

Each run makes data of its own: four classes, each a small pattern in noise, either anywhere in the picture or always in
the middle. A small network learns half of it; `find_mistakes`, `group_maps` and `hide_place` look at the other half.
Nothing but the pattern tells the classes apart, so every group that is pointed out is a false alarm; where all patterns
lie in the middle, each class does have one place that its answer needs, and only the pointing out would be wrong.
"""

import argparse
import warnings
from collections import Counter

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from camwidget import find_mistakes, group_maps, hide_place
from camwidget.errors import DataError

CLASSES, COUNT, SIDE, PATTERN = 4, 240, 48, 12


def made(*, centred: bool) -> tuple[Tensor, Tensor]:
    """Pictures and labels."""
    patterns = torch.randn(CLASSES, 3, PATTERN, PATTERN)
    labels = torch.arange(COUNT) % CLASSES
    pictures = 0.8 * torch.randn(COUNT, 3, SIDE, SIDE)
    for picture, label in zip(pictures, labels, strict=True):
        free = SIDE - PATTERN
        top, left = (free // 2, free // 2) if centred else torch.randint(0, free + 1, (2,)).tolist()
        picture[:, top : top + PATTERN, left : left + PATTERN] += 1.5 * patterns[label]
    return pictures, labels


def trained(pictures: Tensor, labels: Tensor) -> nn.Module:
    """A small network that has learned them."""
    body = nn.Sequential(
        nn.Conv2d(3, 16, 5, stride=2, padding=2),
        nn.BatchNorm2d(16),
        nn.ReLU(),
        nn.Conv2d(16, 32, 3, stride=2, padding=1),
        nn.BatchNorm2d(32),
        nn.ReLU(),
        nn.Conv2d(32, 32, 3, stride=2, padding=1),
        nn.ReLU(),
    )
    model = nn.Sequential(body, nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(32, CLASSES)))
    optimizer = torch.optim.Adam(model.parameters(), 3e-3)
    for _ in range(15):
        for batch in torch.randperm(len(pictures)).split(20):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(pictures[batch]), labels[batch]).backward()
            optimizer.step()
    return model.eval()


def run(seed: int, *, centred: bool) -> Counter[str]:
    """What was found in one set of data."""
    torch.manual_seed(seed)
    pictures, labels = made(centred=centred)
    half = COUNT // 2
    model = trained(pictures[:half], labels[:half])
    loader = DataLoader(TensorDataset(pictures[half:], labels[half:]), batch_size=40)
    found = find_mistakes(model, loader, progress=False)
    counts = Counter(pictures=len(found), right=int(found.table["right"].sum()))
    for group in group_maps(found):
        counts["groups"] += 1
        counts["pointed out"] += group.pointed_out
        try:
            trial = hide_place(found, group)
        except DataError:  # too few pictures, or no room to hide as much elsewhere
            continue
        counts["tested"] += 1
        counts["needed"] += trial.needed
        counts["pointed out and needed"] += group.pointed_out and trial.needed
    return counts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--runs", type=int, default=20, help="of each kind of data")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    for centred in (False, True):
        counts = Counter[str]()
        for seed in range(asked.runs):
            counts += run(seed, centred=centred)
        print(f"patterns {'in the middle' if centred else 'anywhere'}, {asked.runs} sets of data:")
        print(f"  right: {counts['right'] / counts['pictures']:.0%} of the pictures")
        for name in ("groups", "pointed out", "tested", "needed", "pointed out and needed"):
            print(f"  {name}: {counts[name]}")


if __name__ == "__main__":
    main()

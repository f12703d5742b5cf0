"""A small network and small pictures, to find mistakes in."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset, IterableDataset, TensorDataset

HEIGHT, WIDTH, CLASSES = 24, 36, 3


def network(classes: int = CLASSES) -> nn.Sequential:
    """Maps of 5 × 8 cells from pictures of 24 × 36; mean and one linear layer, so Grad-CAM adds up to the logit."""
    body = nn.Sequential(nn.Conv2d(3, 7, 5, stride=2, padding=2), nn.ReLU(), nn.Conv2d(7, 6, 3, stride=2), nn.ReLU())
    return nn.Sequential(body, nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, classes))).eval()


def tensors(count: int, *, classes: int = CLASSES) -> TensorDataset:
    return TensorDataset(torch.randn(count, 3, HEIGHT, WIDTH), torch.arange(count) % classes)


def loader(count: int, batch_size: int = 4) -> DataLoader:
    return DataLoader(tensors(count), batch_size=batch_size)


def picture_folder(folder: Path, names: tuple[str, ...] = ("ant", "bee", "cow"), count: int = 3) -> Path:
    numbers = np.random.default_rng(0)
    for name in names:
        for number in range(count):
            path = folder / name / f"{name}_{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(numbers.integers(0, 255, (40, 52, 3), np.uint8)).save(path)
    return folder


class Files(Dataset):
    """As torchvision's ImageFolder: paths and labels in `samples`, names in `classes`."""

    def __init__(self, folder: Path, classes: tuple[str, ...] = ("ant", "bee", "cow")) -> None:
        self.classes = list(classes)
        self.samples = [
            (str(path), number) for number, name in enumerate(classes) for path in sorted((folder / name).glob("*.png"))
        ]

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        path, label = self.samples[index]
        pixels = np.asarray(Image.open(path).convert("RGB").resize((WIDTH, HEIGHT)), np.float32) / 127.5 - 1
        return torch.from_numpy(pixels).permute(2, 0, 1), label


class Stream(IterableDataset):
    def __init__(self, data: TensorDataset) -> None:
        self.data = data

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        return (self.data[index] for index in range(len(self.data)))


class Named(Dataset):
    """Pictures whose labels are words."""

    def __len__(self) -> int:
        return 6

    def __getitem__(self, index: int) -> tuple[Tensor, str]:
        return torch.full((3, HEIGHT, WIDTH), index / 6), ("cow", "ant")[index % 2]

"""The largest difference between our maps and those of each peer, over the networks and layers of `maps/peers.py`.

python -m tests.peers
"""

from collections import defaultdict

import torch

from tests.maps.peers import NETWORKS, READ_OUT, TOLERANCE, error_of_cam, errors_of_maps, errors_of_scaled_maps


def main() -> None:
    """Print a table: peer, method, precision, largest error relative to the map's largest magnitude."""
    largest: dict[tuple[str, str, str], float] = defaultdict(float)

    def note(peer: str, method: str, precision: str, error: float) -> None:
        largest[peer, method, precision] = max(largest[peer, method, precision], error)

    for dtype in TOLERANCE:
        precision = str(dtype).removeprefix("torch.")
        for name in NETWORKS:
            for (peer, method, _), error in errors_of_maps(name, dtype).items():
                note(peer, method, precision, error)
        for name, layer, classifier in READ_OUT:
            note("torchcam", "cam", precision, error_of_cam(name, layer, classifier, dtype))
    for name in ("resnet18", "squeezenet1_1"):
        for (method, _), error in errors_of_scaled_maps(name).items():
            note("pytorch-grad-cam", method, "float64, scaled", error)
    print("| peer | method | precision | largest error |\n|---|---|---|---|")
    for row, error in sorted(largest.items()):
        print(f"| {' | '.join(row)} | {error:.1e} |")


if __name__ == "__main__":
    torch.manual_seed(0)
    main()

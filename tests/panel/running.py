"""Score-CAM in a panel, run to its end as a click on Run does."""

from torch import Tensor

from camwidget.panel.picture import CamPanel
from tests.patience import HANGING_S
from tests.toys import PooledLinear, picture


def panel_of(model: PooledLinear, image: Tensor | None = None) -> CamPanel:
    return CamPanel(model, picture() if image is None else image, methods=("grad_cam", "score_cam"))


def run_and_wait(panel: CamPanel) -> None:
    panel.run_button.run.click()
    thread = panel.run_button._thread
    assert thread is not None
    thread.join(HANGING_S)
    assert not panel.run_button.busy

"""What every worker on this machine needs, imported once: by the process that the workers are forks of.

The judges' networks are among it; they take longer than all the rest, and the sandbox imports its own at the same time.
"""

from importlib import import_module

import torch

torch.set_num_threads(1)  # before any computing: a pool of threads does not survive a fork

from camwidget.course.order import ASSIGNMENTS  # noqa: E402
from camwidget.grading import work  # noqa: E402, F401
from camwidget.pictures.demo import demo_learner  # noqa: E402
from camwidget.text.learner import text_learner  # noqa: E402

for _name in ASSIGNMENTS:
    import_module(f"camwidget.course.assignments.{_name}.items")
demo_learner()
text_learner()

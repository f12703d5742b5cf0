"""The course: checks that answer at once, and the command for self-study.

Read `check` first, which is `camwidget.check`; then `items`, `attempt` and `report`; `assignments` and `selfstudy` last.
Nothing is imported here, so the command starts without PyTorch.
"""

"""The course: checks that answer at once, and the command for self-study.

Read `check` first, the public `camwidget.check()`; then `items`, `attempt` and `report`, and last `assignments` and
`selfstudy`; `order` has the order of the course. Nothing is imported here, so the command starts without PyTorch.
"""

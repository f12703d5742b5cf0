"""The course: checks that answer at once, hints, and the command for self-study.

`camwidget.check` is the way in; nothing is imported here, so that the command starts without PyTorch.
"""

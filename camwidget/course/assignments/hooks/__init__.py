"""The assignment `hooks`: functions that PyTorch calls while a network runs.

Read `items` first; its judges are in `functions`, `classes` and `modes`, its options in `quizzes`.
"""

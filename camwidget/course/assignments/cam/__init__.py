"""The assignment `cam`: class activation maps by hand.

Read `items` first; its judges are in `judges`, `heads` and `dls`, its options in `quizzes`.
"""

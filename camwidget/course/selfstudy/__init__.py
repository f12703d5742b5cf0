"""A learner's notebook, run and judged where there is no teacher: the command `camwidget` is made of this.

Read `notebook` first, then `kernel`, which runs it, and `progress`, which reads its outputs; `materials` is apart.
"""

"""A learner's notebook, run and judged where there is no teacher: the command `camwidget` is made of this."""

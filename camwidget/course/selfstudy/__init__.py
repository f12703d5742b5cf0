"""Learning without a teacher: a learner's notebook is run and judged. The command `camwidget` is made of this."""

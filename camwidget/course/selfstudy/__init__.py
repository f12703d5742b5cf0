"""A learner's notebook, run and judged where there is no teacher: the command `camwidget` is made of this.

Read `notebook` first, then `kernel`, which runs it, and `progress`, which reads its outputs. `finding` says which
notebooks are meant; `changes` and `watching` run again what was edited; `memory` knows what is next; `reset` puts an
item back; `screen` shows it all. `materials` is apart: what comes with the package.
"""

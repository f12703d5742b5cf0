"""What is typed in a terminal: the command `camwidget`.

Read `cli` first, all that may be typed; `doctor` is what `camwidget doctor` looks at, and `grammars` lets a command
begin sooner.
"""

"""`camwidget doctor`: what this machine has, what is missing for a panel or the course, and what to type.

Read `finding` first, a line of the report; then `packages`, `jupyter` and `machine`, which make findings from facts
that they are given; `trial` makes a panel in a Python of its own, and `report` puts all of it together.
"""

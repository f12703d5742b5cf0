"""`python -m camwidget.command`, the same as `camwidget`."""

import sys

from camwidget.command.cli import main

sys.exit(main())

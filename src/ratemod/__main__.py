"""``python -m ratemod``: the command line."""

from __future__ import annotations

import sys

from ratemod.cli import main

sys.exit(main())

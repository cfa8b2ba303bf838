"""`python -m logship.cli` is `logship`."""

import sys

from logship.cli import main

sys.exit(main())

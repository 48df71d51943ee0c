"""`python -m siegelpost.evidence`: the verifier without the service. See `cli`."""

import sys

from siegelpost.evidence.cli import main

sys.exit(main())

"""Long versions of the tests of faults: collected by ``make soak`` alone."""

import os

collect_ignore_glob = [] if os.environ.get("STRATOSCOPE_SOAK") else ["test_*.py"]

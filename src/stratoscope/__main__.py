"""``python -m stratoscope`` is the command ``stratoscope``."""

from stratoscope.cli import main

if __name__ == "__main__":
    main(prog_name="stratoscope")

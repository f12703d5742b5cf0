"""The panels in hosts that the test suite does not install: see `python -m tests.hosts`."""

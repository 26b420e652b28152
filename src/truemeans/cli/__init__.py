"""The command line: ``truemeans fit``, ``truemeans predict``, ``truemeans info``."""

from truemeans.cli.app import main

__all__ = ["main"]

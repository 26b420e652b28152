"""A recorded run as a walkthrough: one HTML page, or step by step in the terminal.

The folder has an underscore because ``truemeans.walkthrough`` is the function.
"""

from truemeans._walkthrough.run import Walkthrough, walkthrough

__all__ = ["Walkthrough", "walkthrough"]

"""What ``verbose`` prints."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from truemeans.result import Callback, Iteration

__all__ = ["Narrator"]


class Narrator:
    """A callback that prints each iteration in scikit-learn's words, then calls the user's."""

    def __init__(self, callback: Callback | None, tol: float) -> None:
        self.callback = callback
        self.tol = tol
        self.last: Iteration | None = None

    def __call__(self, iteration: Iteration) -> object:
        """Print one iteration, then ask the user's callback."""
        if iteration.n_iter == 1:
            self.end_run()
            print("Initialization complete")
        print(f"Iteration {iteration.n_iter - 1}, inertia {iteration.inertia}.")
        self.last = iteration
        return self.callback(iteration) if self.callback else None

    def end_run(self) -> None:
        """Say why the run that the last iteration belongs to has ended."""
        if self.last is None or not self.last.converged:
            return
        done = f"Converged at iteration {self.last.n_iter - 1}: "
        if self.last.n_changed == 0:
            print(done + "strict convergence.")
        else:
            print(done + f"center shift is within tolerance {self.tol} of the mean variance.")

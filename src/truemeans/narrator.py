"""What ``verbose`` prints: the plan, and each iteration in scikit-learn's words."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from truemeans.result import Callback, Iteration, Plan

__all__ = ["Narrator"]


class Narrator:
    """A callback that prints each iteration, then asks the user's callback.

    Parameters
    ----------
    callback : callable or None
        The user's; what it returns is passed on.
    tol : float
        As the user gave it.
    plan : Plan
        Printed first, with the rules behind it.
    """

    def __init__(self, callback: Callback | None, tol: float, plan: Plan) -> None:
        self.callback, self.tol = callback, tol
        print(f"Plan: {plan}.")
        for rule in plan.why:
            print(f"Why: {rule}")

    def __call__(self, iteration: Iteration) -> object:
        """Print one iteration, and why the run ends if it has converged."""
        number = iteration.n_iter - 1
        if number == 0:
            print("Initialization complete")
        print(
            f"Iteration {number}, inertia {iteration.inertia}, "
            f"{iteration.n_changed} labels changed."
        )
        if iteration.converged:
            strict = iteration.n_changed == 0
            near = f"center shift is within tolerance {self.tol} of the mean variance."
            print(f"Converged at iteration {number}: {'strict convergence.' if strict else near}")
        return self.callback(iteration) if self.callback else None

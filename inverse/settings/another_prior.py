"""The same run with another prior, whose presets and whose estimator are others."""

from __future__ import annotations

from dataclasses import replace

from inverse.denoisers.cards import EMBEDDED, kind_of
from inverse.settings.settings import Settings
from inverse.solvers.defaults import GENERAL, LEARNED
from inverse.solvers.presets import preset


def with_prior(settings: Settings, prior: str) -> Settings:
    """These settings with another prior. What the solver has from its preset is that of the new prior's kind.

    Where the solver begins with an estimator that the new prior has not, it is the one that does without.

    Raises:
        ParameterError: it is no name.
    """
    task, solver, kind = settings.damage.name, settings.solver, kind_of(settings.prior)
    changed = replace(settings, prior=prior)
    if solver.name == LEARNED and changed.prior != EMBEDDED:
        return replace(changed, solver=preset(task, GENERAL, kind=kind_of(changed.prior)))
    if kind_of(changed.prior) == kind:
        return changed
    own = solver.changed(preset(task, solver.name, kind=kind).to_dict())
    return replace(changed, solver=preset(task, solver.name, own, kind_of(changed.prior)))

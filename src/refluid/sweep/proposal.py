"""Which values to try next: Optuna's tree-structured Parzen estimator, without its memory.

A proposal is a function of the seed, the trial's number, and what came out before; the sampler is
made anew for each. So a sweep that was killed proposes what it would have proposed, and there is
no state of Optuna's to be saved or damaged. Training is exact, so that the same values would give
the same result: none are proposed twice.
May import: errors, numpy, sweep; Optuna when it is called.
"""

from __future__ import annotations

import importlib.util
import itertools
import math
import random
from collections.abc import Sequence
from typing import Any

import numpy as np

from refluid.errors import RefluidError
from refluid.sweep.ledger import COMPLETE, FAILED, Plan, Trial
from refluid.sweep.space import Parameter, Range

__all__ = ["check_optuna", "propose"]

# where there are so many times more values than trials, drawing again finds new ones soon
_PLENTY = 10
_MAX_DRAWS = 100


def check_optuna() -> None:
    """Raise RefluidError where Optuna is not installed."""
    if importlib.util.find_spec("optuna") is None:
        raise RefluidError("`refluid sweep` needs Optuna: pip install 'refluid[sweep]'")


def propose(plan: Plan, trials: Sequence[Trial]) -> dict[str, str] | None:
    """Return the values of the next trial, by name of the option.

    Args:
        plan: of the sweep.
        trials: all trials before, which have ended.

    Returns:
        Values that have not been tried, or None if all have been.
    """
    tried = {tuple(trial.values.values()) for trial in trials}
    if len(tried) >= plan.num_combinations:
        return None
    number = len(trials) + 1
    sequence = np.random.SeedSequence([plan.seed, number])
    seed, seed_again = map(int, sequence.generate_state(2))
    values = _sample(plan, trials, seed)
    if values in tried:
        values = _draw_new(plan, tried, random.Random(seed_again))
    return dict(zip([each.name for each in plan.parameters], values, strict=True))


def _sample(plan: Plan, trials: Sequence[Trial], seed: int) -> tuple[str, ...]:
    # an extra, and slow to load
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    distributions = {each.name: _distribution(each) for each in plan.parameters}
    study = optuna.create_study(
        sampler=optuna.samplers.TPESampler(seed=seed),
        direction="minimize" if plan.minimize else "maximize",
    )
    for trial in trials:
        params = {each.name: each.value_of(trial.values[each.name]) for each in plan.parameters}
        state = {COMPLETE: optuna.trial.TrialState.COMPLETE, FAILED: optuna.trial.TrialState.FAIL}
        study.add_trial(
            optuna.trial.create_trial(
                params=params,
                distributions=distributions,
                value=trial.value,
                state=state[trial.state],
            )
        )
    found = study.ask(distributions).params
    return tuple(each.text_of(found[each.name]) for each in plan.parameters)


def _distribution(parameter: Parameter) -> Any:
    # an extra, and slow to load
    from optuna.distributions import (
        CategoricalDistribution,
        FloatDistribution,
        IntDistribution,
    )

    if not isinstance(parameter, Range):
        return CategoricalDistribution(parameter.values)
    if parameter.whole:
        return IntDistribution(int(parameter.low), int(parameter.high), log=parameter.log)
    return FloatDistribution(parameter.low, parameter.high, log=parameter.log)


def _draw_new(plan: Plan, tried: set[tuple[str, ...]], rng: random.Random) -> tuple[str, ...]:
    """Draw values that have not been tried; in a very narrow range, there may be none to find."""
    if plan.num_combinations <= _PLENTY * len(tried):
        every = itertools.product(*(each.texts() for each in plan.parameters))
        return rng.choice([values for values in every if values not in tried])
    draws = [tuple(_draw(each, rng) for each in plan.parameters) for _ in range(_MAX_DRAWS)]
    return next((values for values in draws if values not in tried), draws[0])


def _draw(parameter: Parameter, rng: random.Random) -> str:
    if not isinstance(parameter, Range):
        return rng.choice(parameter.values)
    if parameter.whole:
        return str(rng.randint(int(parameter.low), int(parameter.high)))
    if parameter.log:
        low, high = math.log(parameter.low), math.log(parameter.high)
        return parameter.text_of(math.exp(rng.uniform(low, high)))
    return parameter.text_of(rng.uniform(parameter.low, parameter.high))

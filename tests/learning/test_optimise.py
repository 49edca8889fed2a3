"""Normalised momentum and its look ahead, against plain gradient descent and on quadratics."""

import pytest
import torch

from pcpg.learning.optimise import NormalisedMomentum, make_optimiser, make_schedule
from pcpg.settings.training import Optimisation

KEYS = {
    "epochs": 1, "batch": 1, "accumulate": 1, "augment": True, "learning_rate": 0.1, "schedule": "cosine",
    "weight_decay": 0.0, "clip_norm": 1.0, "evaluations": 1, "stop": None,
}  # fmt: skip


def descend(optimiser, parameter, gradient, steps: int) -> list[torch.Tensor]:
    places = []
    for _ in range(steps):
        if isinstance(optimiser, NormalisedMomentum):
            optimiser.look_ahead()
        parameter.grad = gradient(parameter.detach())
        optimiser.step()
        places.append(parameter.detach().clone())
    return places


def quadratic(at: torch.Tensor) -> torch.Tensor:
    return torch.tensor([[3.0, 1.0], [1.0, 2.0]], dtype=at.dtype) @ at


def parameter() -> torch.nn.Parameter:
    return torch.nn.Parameter(torch.tensor([1.0, -2.0], dtype=torch.float64))


@pytest.mark.parametrize("looks_ahead", [True, False])
def test_without_momentum_it_is_sgd_with_gradients_of_length_one(looks_ahead):
    one, other = parameter(), parameter()
    found = descend(NormalisedMomentum([one], 0.1, 0.0, looks_ahead), one, quadratic, 5)
    wanted = descend(torch.optim.SGD([other], lr=0.1), other, lambda at: quadratic(at) / quadratic(at).norm(), 5)
    torch.testing.assert_close(found, wanted, rtol=1e-12, atol=0.0)


def test_the_mean_is_the_exact_gradient_of_a_quadratic_where_it_looks_ahead():
    for looks_ahead in (True, False):
        place = parameter()
        optimiser = NormalisedMomentum([place], 0.05, 0.8, looks_ahead)
        apart = []
        for _ in range(6):
            before = place.detach().clone()
            descend(optimiser, place, quadratic, 1)
            apart.append((optimiser.state[place]["mean"] - quadratic(before)).norm().item())
        assert (max(apart) < 1e-12) == looks_ahead


def test_every_step_is_as_long_as_the_rate():
    place = parameter()
    for optimiser in ("nsgdm", "npg_igt"):
        made = make_optimiser([place], Optimisation(**KEYS, optimiser=optimiser, momentum=0.9))
        before = place.detach().clone()
        for after in descend(made, place, quadratic, 4):
            assert (after - before).norm().item() == pytest.approx(0.1)
            before = after


@pytest.mark.parametrize("optimiser", ["sgd", "nsgdm", "npg_igt"])
@pytest.mark.parametrize("schedule", ["constant", "cosine", "one_cycle"])
def test_a_saved_state_goes_on_in_the_same_bytes(optimiser, schedule):
    settings = Optimisation(**KEYS | {"schedule": schedule}, optimiser=optimiser, momentum=0.6)

    def begin():
        place = parameter()
        made = make_optimiser([place], settings)
        return place, made, make_schedule(made, settings, 8)

    def go(place, made, course, steps: int):
        for _ in range(steps):
            descend(made, place, quadratic, 1)
            course.step()

    whole = begin()
    go(*whole, 8)
    place, made, course = begin()
    go(place, made, course, 3)
    again = begin()
    with torch.no_grad():
        again[0].copy_(place)
    again[1].load_state_dict(made.state_dict())
    again[2].load_state_dict(course.state_dict())
    go(*again, 5)
    assert torch.equal(whole[0], again[0])

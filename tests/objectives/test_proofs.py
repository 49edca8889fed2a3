"""Every objective against what its paper says of it: literal losses by autograd, limit cases, exact enumeration.

A toy policy has fifteen transcriptions, so expectations are sums; where something is to the bit, nothing is tolerated.
"""

import random
from collections import Counter
from itertools import product

import pytest
import torch
from rapidfuzz.distance import Levenshtein
from tiny import STEPS, Tiny, all_transcriptions, batch_of_tiny, log_policy, plain_rewards

from pcpg.objectives import mixer, raml, scst
from pcpg.objectives.a_lol import ALoL, a_lol_weights
from pcpg.objectives.base import Context
from pcpg.objectives.best_of_m import BestOfM, best
from pcpg.objectives.copg import CoPG, contrast
from pcpg.objectives.cross_entropy import CrossEntropy
from pcpg.objectives.dpo import DPO
from pcpg.objectives.ipo import IPO
from pcpg.objectives.nlpo import NLPO
from pcpg.objectives.pairs import margins, of_pairs
from pcpg.objectives.policy import entropy, nucleus
from pcpg.objectives.policy import log_policy as policy_of
from pcpg.objectives.ppo import PPO, clipped_surrogate
from pcpg.objectives.raml import RAML
from pcpg.objectives.rewards import reward_to_go
from pcpg.objectives.rloo import RLOO, advantages
from pcpg.objectives.rollout import sample, score, steps_taken, taken
from pcpg.objectives.rwr import RWR
from pcpg.objectives.scst import SCST
from pcpg.objectives.weighted import KLPenalty, Samples
from pcpg.reader.text import BEGIN, CLASSES, END, PAD, encode

CE = CrossEntropy(label_smoothing=0.0, teacher_forcing=1.0, mask_padding=True)
ALONE = {"cross_entropy": CE, "lambda_pg": 1, "temperature": 1.0, "top_p": 1.0, "kl": None, "entropy": 0.0}
REFERENCE = encode("ab")
N, M, U = 6, 4, 3


def numbers() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Rewards (N, M), log p (N, M, U) with a gradient, log p by the start."""
    torch.manual_seed(0)
    reward = torch.randint(-1, 3, (N, M)).double() / 2
    steps = -torch.rand(N, M, U, dtype=torch.float64)
    return reward, steps.requires_grad_(), -torch.rand(N, M, U, dtype=torch.float64)


def others(values: torch.Tensor) -> torch.Tensor:
    """The mean of the clip's other values, in plain loops."""
    rows = [[sum(row[j] for j in range(M) if j != i) / (M - 1) for i in range(M)] for row in values]
    return torch.stack([torch.stack(row) for row in rows])


def copg_loss(reward, steps, start, beta) -> torch.Tensor:
    """Sum over pairs of squares, in units of reward: over 2 beta M (M - 1) twice, pairs being ordered."""
    whole = reward - beta * (steps - start).sum(dim=2)
    squares = sum((whole[:, i] - whole[:, j]).square() for i in range(M) for j in range(M) if i > j)
    return (squares / (2 * beta * M * (M - 1))).mean()


def pair_loss(reward, steps, start, of_margin) -> torch.Tensor:
    h, clips = (steps - start).sum(dim=2), []
    for row, marks in zip(h, reward, strict=True):
        pairs = [of_margin(row[w] - row[v]) for w in range(M) for v in range(M) if marks[w] > marks[v]]
        clips.append(torch.stack(pairs).mean() if pairs else row.sum() * 0)
    return torch.stack(clips).mean()


def lol_loss(reward, steps, start, form, beta=0.0) -> torch.Tensor:
    log_p, at_start = steps.sum(dim=2), start.sum(dim=2)
    advantage = torch.relu(reward - reward.mean(dim=1, keepdim=True))
    ratio = torch.clamp((log_p - at_start).exp().detach(), 0.1, 1.9)
    each = torch.clamp((steps - start).exp().detach(), 0.1, 1.9)
    losses = {
        "r_lol": -ratio * torch.relu(reward) * log_p, "a_lol": -ratio * advantage * log_p,
        "ref_free": -advantage * log_p,
        "seq": -(each * steps).sum(dim=2) * advantage, "kl": -advantage * log_p + beta * (log_p - at_start),
    }  # fmt: skip
    return losses[form].mean()


IPO_, DPO_ = (kind(samples=M, texts="fresh", beta=0.7, **ALONE) for kind in (IPO, DPO))
LITERAL = {  # name: the published loss, our weights
    "rloo": (lambda r, s, _: -((r - others(r)) * s.sum(2)).mean(), lambda one: advantages(one.reward) / M),
    "scst": (lambda r, s, _: -((r - r[:, :1]) * s.sum(2)).mean(),
             lambda one: SCST(samples=M, **ALONE).weights(one._replace(baseline=one.reward[:, :1]))),
    "copg": (lambda r, s, q: copg_loss(r, s, q, 0.3) , lambda one: contrast(one.reward, one.log_ratio, 0.3)),
    "ipo": (lambda r, s, q: pair_loss(r, s, q, lambda m: (m - 1 / 1.4) ** 2), IPO_.weights),
    "dpo": (lambda r, s, q: pair_loss(r, s, q, lambda m: -torch.nn.functional.logsigmoid(0.7 * m)), DPO_.weights),
    "best_of_m": (lambda r, s, _: -torch.stack([s.sum(2)[n, int(r[n].argmax())] for n in range(N)]).mean(),
                  lambda one: best(one.reward)),
    "rwr": (lambda r, s, _: -((r / 0.2).exp() / (r / 0.2).exp().sum(1, keepdim=True) * s.sum(2)).sum(1).mean(),
            RWR(samples=M, texts="fresh", beta=0.2, **ALONE).weights),
    **{form: (lambda r, s, q, form=form: lol_loss(r, s, q, form), lambda one, form=form: a_lol_weights(one, form) / M)
       for form in ("r_lol", "a_lol", "ref_free", "seq")},
    "kl": (lambda r, s, q: lol_loss(r, s, q, "kl", 0.2), lambda one: a_lol_weights(one, "kl", 0.2) / M),
}  # fmt: skip


@pytest.mark.parametrize("name", LITERAL)
def test_the_weights_give_the_gradient_of_the_literal_loss(name):
    """And pushed the other way they do not."""
    literal, weights = LITERAL[name]
    reward, steps, start = numbers()
    [wanted] = torch.autograd.grad(literal(reward, steps, start), steps)
    weight = weights(Samples(reward, steps.detach(), start))
    each = weight[:, :, None].expand(N, M, U) if weight.dim() == 2 else weight
    assert wanted.abs().max() > 0.01
    torch.testing.assert_close(-each / N, wanted)
    assert (each / N - wanted).norm() > wanted.norm()


# By enumeration of all pairs of texts of the toy policy


def enumerated(tiny: Tiny, weights, by: Tiny | None = None) -> torch.Tensor:
    """Expected gradient of - sum_i w_i l_i over pairs of texts that `by` draws (None: the policy itself)."""
    texts, longest = all_transcriptions(), STEPS

    def steps_of(of: Tiny) -> torch.Tensor:
        rows = [log_policy(of, text, 1.0)[torch.arange(len(text)), torch.tensor(text)] for text in texts]
        return torch.stack([torch.nn.functional.pad(row, (0, longest - len(row))) for row in rows])

    steps = steps_of(tiny)
    drawn = (steps if by is None else steps_of(by)).detach().sum(dim=1)
    reward = torch.tensor([sum(plain_rewards(text, REFERENCE)) / len(REFERENCE) for text in texts])
    loss = torch.zeros(())
    for i, j in product(range(len(texts)), repeat=2):
        pair = torch.tensor([i, j])
        weight = weights(reward[pair][None], steps[pair][None].detach(), pair)
        loss = loss - (drawn[i] + drawn[j]).exp() * (weight * steps[pair].sum(dim=1)).sum()
    return tiny.gradient(loss)


def of_expected_reward(tiny: Tiny) -> torch.Tensor:
    total = torch.zeros(())
    for text in all_transcriptions():
        log_p = log_policy(tiny, text, 1.0)[torch.arange(len(text)), torch.tensor(text)].sum()
        total = total + log_p.exp() * sum(plain_rewards(text, REFERENCE)) / len(REFERENCE)
    return tiny.gradient(-total)


UNBIASED = {
    "rloo": lambda r, s, _: advantages(r) / 2,
    "scst": lambda r, s, _: SCST(samples=2, **ALONE).weights(Samples(r, s, None, torch.tensor([[0.5]]))),
    "grpo without its scale is rloo, a half as long": lambda r, s, _: 2 * (r - r.mean(dim=1, keepdim=True)) / 2,
}


@pytest.mark.parametrize("name", UNBIASED)
def test_the_expected_gradient_is_that_of_the_expected_reward(name):
    tiny = Tiny()
    wanted = of_expected_reward(tiny)
    torch.testing.assert_close(enumerated(tiny, UNBIASED[name]), wanted, rtol=1e-4, atol=1e-6)


BIASED = {"best_of_m": lambda r, s, _: best(r), "rwr": lambda r, s, _: (r / 0.1).softmax(dim=1)}


@pytest.mark.parametrize("name", BIASED)
def test_what_pushes_up_alone_follows_another_gradient(name):
    tiny = Tiny()
    found, wanted = enumerated(tiny, BIASED[name]), of_expected_reward(tiny)
    scale = (found @ wanted) / (wanted @ wanted)
    assert (found - scale * wanted).norm() > 0.01 * found.norm()


def moved(far: float = 0.2) -> Tiny:
    other = Tiny()
    torch.manual_seed(11)
    with torch.no_grad():
        for parameter in other.decoder.parameters():
            parameter += far * torch.randn_like(parameter)
    return other


def test_copg_on_fresh_samples_is_rloo_with_the_pull_in_the_reward():
    reward, steps, start = numbers()
    one = Samples(reward, steps.detach(), start)
    rloo = RLOO(samples=M, scale="none", **ALONE | {"kl": KLPenalty(weight=0.3, form="reward")})
    assert torch.equal(contrast(reward, one.log_ratio, 0.3), advantages(rloo.with_kl_in_reward(one).reward) / M)


def test_copg_has_its_fixed_point_whoever_drew():
    """At policy = start exp(R / beta) / Z all texts of a clip balance: no text is pushed, however unlikely."""
    start = -torch.rand(N, M, 1, dtype=torch.float64)
    reward = torch.rand(N, M, dtype=torch.float64)
    tilted = start + reward[:, :, None] / 0.4 - 1.7  # any constant a clip
    samples = Samples(reward, tilted, start)
    assert contrast(reward, samples.log_ratio, 0.4).abs().max() < 1e-12
    assert contrast(reward, samples.log_ratio, 0.5).abs().max() > 0.01


def test_ipo_is_copg_with_rewards_of_a_quarter():
    """Up to beta^2, and the sizes of the two definitions: per pair, and per ordered pair over 4 beta."""
    beta, h = 0.7, torch.randn(5, 2, dtype=torch.float64)
    reward = torch.tensor([[0.25, -0.25]] * 5, dtype=torch.float64)
    # (h_w - h_l - 1 / (2 beta))^2 = (beta (h_w - h_l) - 1/2)^2 / beta^2
    ours = of_pairs(reward, -2 * (margins(h) - 1 / (2 * beta)))
    squares = contrast(reward, h, beta) * 2 * 2 * 2 * beta  # d of (Rb_w - Rb_l)^2 = 4 beta M (M-1) / 2 times ours
    torch.testing.assert_close(ours, squares / beta**2 / 2)


def test_ties_are_no_pairs():
    same = torch.full((2, 3), 0.5)
    assert of_pairs(same, torch.ones(2, 3, 3)).abs().max() == 0


def test_a_lol_at_the_start_is_weighted_likelihood_and_ref_free_is_that_without_it():
    reward, steps, _ = numbers()
    same = Samples(reward, steps.detach(), steps.detach())
    advantage = (reward - reward.mean(dim=1, keepdim=True)).clamp(min=0)
    torch.testing.assert_close(a_lol_weights(same, "a_lol"), advantage)
    torch.testing.assert_close(a_lol_weights(same, "a_lol"), a_lol_weights(same, "ref_free"))
    far = same._replace(anchor_log_p=steps.detach() - 5)
    assert a_lol_weights(far, "r_lol").max() == 1.9 * reward.clamp(min=0).max()  # clipped


# The policy


def test_padding_and_begin_are_never_drawn_nor_likely():
    logits = torch.randn(7, 40)
    logits[:, [PAD, BEGIN]] = 50.0
    found = policy_of(logits)
    assert found[:, [PAD, BEGIN]].exp().max() == 0
    kept = [c for c in range(40) if c not in (PAD, BEGIN)]
    torch.testing.assert_close(found[:, kept], logits[:, kept].log_softmax(dim=1))


def test_the_nucleus_has_the_fewest_characters_of_that_probability_and_the_end():
    log_probs = policy_of(3 * torch.randn(50, 40))
    for row, kept in zip(log_probs.exp(), nucleus(log_probs, 0.8), strict=True):
        ranked = row.sort(descending=True).indices.tolist()
        fewest = next(n for n in range(1, 41) if row[ranked[:n]].sum() >= 0.8)
        assert set(kept.nonzero().flatten().tolist()) == {*ranked[:fewest], END}
    assert nucleus(log_probs, 1e-9).sum(dim=1).max() <= 2


def whole(number: int = 40, samples: int = 3, top_p: float = 1.0):
    tiny, batch = Tiny(), batch_of_tiny(number)
    memory = tiny.encode(batch.frames, batch.lengths)
    return tiny, batch, memory, sample(tiny, memory, batch, STEPS, samples=samples, top_p=top_p)


@pytest.mark.parametrize("top_p", [1.0, 0.7])
def test_what_was_drawn_is_scored_to_the_bit(top_p):
    tiny, batch, memory, drawn = whole(top_p=top_p)
    scored = score(tiny, memory, batch, drawn.sampled, kept=drawn.kept)
    assert torch.equal(scored.log_p, drawn.log_p) and torch.equal(scored.forced, drawn.forced)
    if top_p < 1:
        assert drawn.kept.gather(2, drawn.sampled[:, :, None]).all()
        assert not torch.equal(score(tiny, memory, batch, drawn.sampled).log_p, drawn.log_p)


# PPO and NLPO


def ppo(**keys) -> PPO:
    return PPO(**ALONE | {"samples": 3, "updates": 2, "clip": 0.2, "value": None} | keys)


def drawn_by(objective, tiny, batch, context):
    with torch.no_grad():
        return objective.draw(tiny, batch, context) if objective.passes > 1 else None


def both(objective, tiny=None, context=None):
    """Losses and gradient of an objective on what it draws."""
    tiny, batch, context = tiny or Tiny(), batch_of_tiny(40), context or Context(STEPS)
    losses = objective.losses(tiny, batch, context, drawn_by(objective, tiny, batch, context))
    return losses, tiny.gradient(losses["loss"])


def test_the_first_pass_of_ppo_is_reinforce_with_its_advantage():
    """Ratio 1 exactly, clipped or not; and K = 1 is that for a whole run."""
    wanted, gradient = both(RLOO(samples=3, scale="none", **ALONE))
    for clip in (0.2, None):
        losses, found = both(ppo(clip=clip))
        assert losses["ratio_sd"].item() == pytest.approx(1e-6, rel=1e-3) and losses["clipped"] == 0  # its floor: 0
        torch.testing.assert_close(found, gradient, rtol=1e-4, atol=1e-6)
    losses, found = both(ppo(updates=1, clip=None))
    torch.testing.assert_close(found, gradient, rtol=1e-4, atol=1e-6)
    assert losses["reward"] == wanted["reward"]


def test_a_step_beyond_the_clip_has_no_gradient():
    steps = torch.tensor([[0.5, -0.5, 0.5, -0.5]], requires_grad=True)
    gains, old, all_ = torch.tensor([[1.0, -1.0, -1.0, 1.0]]), torch.zeros(1, 4), torch.ones(1, 4, dtype=torch.bool)
    clipped = clipped_surrogate(steps, old, gains, all_, 0.2)
    [found] = torch.autograd.grad(clipped.value.sum(), steps)
    assert found[0, :2].tolist() == [0, 0] and clipped.clipped == 0.5
    torch.testing.assert_close(found[0, 2:], gains[0, 2:] * steps[0, 2:].detach().exp())
    free = clipped_surrogate(steps, old, gains, all_, None)
    [found] = torch.autograd.grad(free.value.sum(), steps)
    torch.testing.assert_close(found, gains * steps.detach().exp())  # importance-weighted


def test_the_value_head_compares_each_step_with_what_is_to_come():
    """Before it has learned it says 0: plain reward to come; its own gradient is that of the squared error."""
    objective, tiny = ppo(value=0.5), Tiny()
    context = Context(STEPS, own=objective.own_parameters(tiny))
    batch = batch_of_tiny(40)
    drawn = drawn_by(objective, tiny, batch, context)
    losses = objective.losses(tiny, batch, context, drawn)
    rows = [row[: row.index(END) + 1] if END in row else row for row in drawn.sampled.tolist()]
    future = [[sum(plain_rewards(row, REFERENCE)[u:]) / 2 for u in range(len(row))] for row in rows]
    padded = torch.tensor([[*row, *[0.0] * (STEPS - len(row))] for row in future])[:, : drawn.sampled.shape[1]]
    wanted = -(padded * score(tiny, tiny.encode(batch.frames, batch.lengths), batch, drawn.sampled).log_p).sum() / 120
    square = 0.5 * padded.square().sum(dim=1).mean()
    torch.testing.assert_close(tiny.gradient(losses["loss"]), tiny.gradient(wanted), rtol=1e-3, atol=1e-6)
    losses = objective.losses(tiny, batch, context, drawn)
    assert losses["loss"].item() - losses["objective"].item() == pytest.approx(square.item(), rel=1e-4)
    [bias] = torch.autograd.grad(losses["loss"], context.own.value.bias)
    assert bias.item() == pytest.approx(-2 * 0.5 * padded.sum(dim=1).mean().item(), rel=1e-3)


def test_the_pull_to_the_start_is_taken_off_each_step_that_a_value_head_compares():
    objective = ppo(value=0.5, kl=KLPenalty(weight=0.3, form="reward"))
    tiny, batch = moved(), batch_of_tiny(40)
    context = Context(STEPS, anchor=Tiny(), own=objective.own_parameters(tiny))
    drawn = drawn_by(objective, tiny, batch, context)
    found = tiny.gradient(objective.losses(tiny, batch, context, drawn)["objective"])
    rollout = objective.draw(tiny, batch, context)  # again, with a gradient
    steps = taken(rollout.sampled)
    by_anchor = rollout._replace(log_probs=objective.anchor_log_probs(rollout, batch, context))
    above = (rollout.log_p - by_anchor.log_p).sum(dim=1)
    assert above.abs().max() > 0.1
    gains = (reward_to_go(rollout.sampled, batch) - 0.3 * above.detach()[:, None]) * steps  # a new head says 0
    wanted = tiny.gradient(-(gains * rollout.log_p).sum() / len(gains))
    torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-6)


def nlpo(top_p: float) -> NLPO:
    return NLPO(**ALONE | {"samples": 3, "updates": 2, "clip": 0.2, "value": None, "refresh": 1, "top_p": top_p})


def test_nlpo_that_keeps_all_is_ppo_to_the_bit():
    tiny = Tiny()
    context = Context(STEPS, own=nlpo(1.0).own_parameters(tiny))
    losses, gradient = both(nlpo(1.0), tiny, context)
    wanted, exact = both(ppo(), Tiny())
    assert torch.equal(gradient, exact) and all(torch.equal(losses[key], wanted[key]) for key in wanted)


def test_the_coldest_policy_still_draws_no_padding():
    """The coldest that is allowed: logits / temperature stay above what stands for never."""
    logits = torch.full((CLASSES,), -1000.0)
    closed = {temperature: policy_of(logits, temperature).exp()[[PAD, BEGIN]].sum() for temperature in (1e-3, 1e-7)}
    assert closed[1e-3] == 0 and closed[1e-7] == 1


def test_nlpo_draws_what_its_mask_policy_keeps():
    """An older policy's nucleus, not its own."""
    tiny, batch = Tiny(), batch_of_tiny(40)
    objective = nlpo(0.9).model_copy(update={"refresh": 1000})
    own = objective.own_parameters(tiny)
    context = Context(STEPS, own=own)
    drawn_by(objective, tiny, batch, context)  # the first draw fills the mask
    tiny.decoder.load_state_dict(moved(2.0).decoder.state_dict())
    drawn = drawn_by(objective, tiny, batch, context)
    memory = own.mask.encode(batch.frames, batch.lengths)
    by_mask = nucleus(score(own.mask, memory, batch, drawn.sampled).log_probs, 0.9)
    steps = taken(drawn.sampled)
    assert torch.equal(drawn.kept[steps], by_mask[steps])
    by_itself = nucleus(score(tiny, tiny.encode(batch.frames, batch.lengths), batch, drawn.sampled).log_probs, 0.9)
    assert not torch.equal(by_itself[steps], by_mask[steps])
    assert drawn.kept.gather(2, drawn.sampled[:, :, None]).all()
    ratio = objective.losses(tiny, batch, context, drawn)["ratio_sd"]
    assert ratio.item() == pytest.approx(1e-6, rel=1e-3)  # its floor: 0


# RAML and MIXER


def test_raml_without_edits_is_cross_entropy_to_the_bit():
    tiny, batch = Tiny(), batch_of_tiny(5)
    found, wanted = RAML(tau=1e-3).losses(tiny, batch, Context(STEPS)), CE.losses(tiny, batch, Context(STEPS))
    assert found["loss"] == wanted["loss"] and found["edits"] < 1e-6 and found["edited"] == 0


def test_raml_draws_numbers_of_edits_by_the_formula():
    """And no text is further away than its edits; with edits the loss is another."""
    text, tau, draws = encode("ab c"), 0.7, 4000
    weights = raml.of_edits(len(text), tau)
    wanted = [weight / sum(weights) for weight in weights]
    chosen = Counter()
    for number in range(draws):
        draw = random.Random(number)
        changed = raml.edit(text, tau, draw)
        [edits] = random.Random(number).choices(range(len(text) + 1), weights)
        assert Levenshtein.distance(text, changed) <= edits
        assert len(text) <= len(changed) <= len(text) + edits
        chosen[edits] += 1
    for edits, share in enumerate(wanted):
        assert abs(chosen[edits] / draws - share) < 4 * (share * (1 - share) / draws) ** 0.5 + 1e-3
    assert 0.05 < sum(e * share for e, share in enumerate(wanted)) < 3
    batch = batch_of_tiny(50)
    assert RAML(tau=0.9).losses(Tiny(), batch, Context(STEPS))["edited"] > 0.1


def test_the_mean_numbers_of_edits_by_which_tau_is_chosen():
    """For a text of 24 characters; docs/objectives.md has three of them."""
    means = {0.5: 0.18, 0.55: 0.41, 0.6: 0.82, 0.7: 2.4, 0.9: 9.6}
    for tau, mean in means.items():
        assert raml.mean_edits(24, tau) == pytest.approx(mean, rel=0.05)


def mixed(forced: int) -> mixer.MIXER:
    return mixer.MIXER(samples=3, temperature=1.0, forced=forced, stages=1)


def test_mixer_at_its_ends():
    """All forced: cross-entropy to the bit; nothing forced: REINFORCE, step by step, to the bit."""
    tiny, batch = Tiny(), batch_of_tiny(40)
    found = mixed(STEPS).losses(tiny, batch, Context(STEPS))
    assert found["loss"] == CE.losses(tiny, batch, Context(STEPS))["loss"]
    free = mixed(1).model_copy(update={"forced": 0}).losses(tiny, batch, Context(STEPS))
    rollout = sample(tiny, tiny.encode(batch.frames, batch.lengths), batch, STEPS, samples=3)
    wanted = -(mixer.advantages(rollout.sampled, batch, 0) * rollout.log_p).sum(dim=1).mean()
    assert free["loss"] == wanted and free["objective"] == wanted


def test_mixers_advantages_by_plain_loops():
    """What is to come from a step on, less the mean of the other two samples at that step; nothing in the prefix."""
    tiny, batch = Tiny(), batch_of_tiny(30)
    memory = tiny.encode(batch.frames, batch.lengths)
    for prefix in (0, 1):
        texts = sample(tiny, memory, batch, STEPS, samples=3, prefix=prefix).sampled
        rows = [row[: row.index(END) + 1] if END in row else row for row in texts.tolist()]
        future = [[sum(plain_rewards(row, REFERENCE)[u:]) / 2 for u in range(texts.shape[1])] for row in rows]
        wanted = torch.zeros(texts.shape)
        for i, row in enumerate(rows):
            beside = [j for j in range(3 * (i // 3), 3 * (i // 3) + 3) if j != i]
            for u in range(prefix, len(row)):
                wanted[i, u] = future[i][u] - sum(future[j][u] for j in beside) / 2
        assert wanted.abs().max() > 0
        torch.testing.assert_close(mixer.advantages(texts, batch, prefix), wanted)


def test_what_mixer_forces_earns_nothing():
    tiny, batch = Tiny(), batch_of_tiny(40)
    rollout = sample(tiny, tiny.encode(batch.frames, batch.lengths), batch, STEPS, samples=3, prefix=1)
    assert (rollout.sampled[:, 0] == REFERENCE[0]).all()
    gains = mixer.advantages(rollout.sampled, batch, 1)
    assert gains[:, 0].abs().max() == 0 and gains[:, 1:].abs().max() > 0


def test_mixer_forces_less_and_less():
    assert [mixer.forced_at(25, 6, (t + 0.5) / 6) for t in range(6)] == [25, 21, 17, 12, 8, 4]
    assert mixer.forced_at(25, 6, 1.0) == 4


@pytest.mark.parametrize("updates", [*range(1, 100), 492, 1_000_003])
def test_mixers_stages_begin_with_the_update_that_is_due(updates):
    """By whole numbers: 1/49 of 49 stages is below 1 in floating point."""
    for stages in (1, 3, 6, 7, 49, 100):
        for stage in range(1, stages):
            due = -(-updates * stage // stages)  # the first update with that share behind it
            for number in {max(due - 1, 0), due} - {updates}:
                wanted = round(stages * (1 - number * stages // updates / stages))
                assert mixer.forced_at(stages, stages, number / updates) == wanted


@pytest.mark.parametrize("updates", [12, 48, 96, 492])
def test_six_stages_begin_where_they_did(updates):
    for number in range(updates):
        wanted = round(30 * (1 - int(number / updates * 6) / 6))
        assert mixer.forced_at(30, 6, number / updates) == wanted


# Texts of any origin


def stored_of(texts: list[str], batch) -> Context:
    rows = torch.full((len(texts), STEPS), END)
    for row, text in zip(rows, texts, strict=True):
        row[: len(text)] = torch.tensor(encode(text))
    return Context(STEPS, anchor=Tiny(), stored={row: rows for row in batch.rows})


STORED = {
    "copg": CoPG(samples=2, texts="stored", beta=0.1, reference=False, edited=None, **ALONE),
    "ipo": IPO(samples=2, texts="stored", beta=0.1, **ALONE),
    "best_of_m": BestOfM(samples=2, texts="stored", **ALONE),
    "a_lol": ALoL(samples=2, form="a_lol", beta=0.0, **ALONE),
}


@pytest.mark.parametrize("name", STORED)
def test_stored_texts_are_those_that_are_scored(name):
    """Two texts by hand, the policy apart from the start: the loss of their weights and their log p, step by step."""
    tiny, batch = moved(), batch_of_tiny(3)
    context = stored_of(["ab", "b"], batch)
    found = STORED[name].losses(tiny, batch, context)
    logs, at_start = [], []
    for text in ("ab", "b"):
        row = [*encode(text), END]
        logs.append(log_policy(tiny, row, 1.0)[torch.arange(len(row)), torch.tensor(row)].sum())
        at_start.append(log_policy(context.anchor, row, 1.0)[torch.arange(len(row)), torch.tensor(row)].sum())
    samples = (torch.stack(each).detach()[None, :, None] for each in (logs, at_start))
    weight = STORED[name].weights(Samples(torch.tensor([[1.0, 0.5]]), *samples))
    wanted = -(weight[0] * torch.stack(logs)).sum()
    torch.testing.assert_close(tiny.gradient(found["loss"]), tiny.gradient(wanted), rtol=1e-3, atol=1e-5)
    assert found["reward"] == 0.75


def test_copg_takes_the_reference_and_edited_ones_beside():
    batch = batch_of_tiny(3)
    edits = {"reference": True, "edited": {"texts": 2, "tau": 0.9}}
    objective = CoPG(**ALONE | {"samples": 2, "texts": "stored", "beta": 0.1} | edits)
    rollout = objective.rollout_of(Tiny(), batch, stored_of(["ab", "b"], batch))
    assert len(rollout.sampled) == 3 * 5
    texts = rollout.sampled.unflatten(0, (3, 5))
    assert torch.equal(texts[:, 2, :3], batch.targets)
    edits = raml.edited(batch, 0.9, 2)
    assert edits.shape[2] > STEPS == texts.shape[2]  # cut, so that no text of the start that was cut there gains an end
    edits = edits[:, :, :STEPS]
    assert torch.equal(texts[:, 3:, : edits.shape[2]].where(edits != PAD, edits), edits)


def test_the_ratio_to_the_start_is_one_at_the_start():
    batch = batch_of_tiny(8)
    found = STORED["copg"].losses(Tiny(), batch, stored_of(["ab", "b"], batch))
    assert found["ratio_sd"].item() == pytest.approx(1e-6, rel=1e-3)  # its floor: 0


@pytest.mark.parametrize("form", ["reward", "exact"])
def test_both_pulls_have_the_gradient_of_the_divergence(form):
    """In expectation over all texts; and at the start there is none."""
    tiny, start = moved(), Tiny()
    total = torch.zeros(())
    for text in all_transcriptions():
        places = torch.arange(len(text)), torch.tensor(text)
        log_p, at_start = (log_policy(of, text, 1.0)[places].sum() for of in (tiny, start))
        total = total + log_p.exp() * (log_p - at_start.detach())
    wanted = tiny.gradient(total)
    if form == "reward":
        places_of = all_transcriptions()
        at = torch.stack([log_policy(start, t, 1.0)[torch.arange(len(t)), torch.tensor(t)].sum() for t in places_of])
        found = enumerated(tiny, lambda r, s, pair: advantages(-(s.sum(2) - at[pair].detach()[None])) / 2)
        torch.testing.assert_close(found, wanted, rtol=1e-3, atol=1e-5)
        return
    batch = batch_of_tiny(4000)
    objective = RLOO(samples=2, scale="none", **ALONE | {"kl": KLPenalty(weight=1.0, form="exact")})
    losses = objective.losses(tiny, batch, Context(STEPS, anchor=start))
    pull = losses["loss"] - losses["objective"]
    assert pull.item() == pytest.approx(total.item(), rel=0.05)  # 8,000 texts
    steps = torch.zeros(())  # what is drawn is not part of it: of each step the divergence, by all characters
    for text in all_transcriptions():
        p, q = (log_policy(of, text, 1.0) for of in (tiny, start))
        chance = p[torch.arange(len(text)), torch.tensor(text)].sum().exp().detach()
        steps = steps + chance * (p.exp() * (p - q.detach())).sum()
    wanted = tiny.gradient(steps)
    assert (tiny.gradient(pull) - wanted).norm() < 0.1 * wanted.norm()


@pytest.mark.parametrize("changes", [{"temperature": 2.0}, {"top_p": 0.7}])
def test_a_text_is_scored_by_the_policy_that_drew_it(changes):
    """Else a network would lie far from itself, as start or as what the first pass has drawn."""
    pulled = RLOO(samples=3, scale="none", **ALONE | changes | {"kl": KLPenalty(weight=1.0, form="exact")})
    found = pulled.losses(Tiny(), batch_of_tiny(40), Context(STEPS, anchor=Tiny()))
    assert found["ratio_sd"].item() == pytest.approx(1e-6, rel=1e-3)  # its floor: 0
    assert both(ppo(**changes))[0]["ratio_sd"].item() == pytest.approx(1e-6, rel=1e-3)


def test_the_bonus_for_entropy_is_taken_off_the_loss():
    tiny, batch = Tiny(), batch_of_tiny(40)
    plain, bonus = (
        RLOO(samples=2, scale="none", **ALONE | {"entropy": weight}).losses(tiny, batch, Context(STEPS))
        for weight in (0.0, 0.5)
    )
    assert (plain["loss"] - bonus["loss"]).item() == pytest.approx(0.5 * plain["entropy"].item(), rel=1e-4)
    rollout = sample(tiny, tiny.encode(batch.frames, batch.lengths), batch, STEPS, samples=2)
    wanted = 0.5 * tiny.gradient(entropy(rollout.log_probs, steps_taken(rollout.sampled)))
    found = tiny.gradient(plain["loss"]) - tiny.gradient(bonus["loss"])
    torch.testing.assert_close(found, wanted, rtol=1e-3, atol=1e-5)


def test_a_value_heads_error_teaches_the_decoder_nothing():
    gradients = []
    for weight in (0.5, 500.0):
        tiny, objective = Tiny(), ppo(value=weight)
        own = objective.own_parameters(tiny)
        with torch.no_grad():
            own.value.weight.copy_(torch.linspace(-1, 1, own.value.weight.shape[1])[None])
        gradients.append(both(objective, tiny, Context(STEPS, own=own))[1])
    torch.testing.assert_close(*gradients)


def test_the_greedy_text_alone_teaches_scst_nothing():
    reward = torch.tensor([[0.5, 1.0]])
    weights = SCST(samples=2, **ALONE).weights(Samples(reward, torch.zeros(1, 2, 1), None, torch.tensor([[0.5]])))
    assert weights.tolist() == [[0.0, 0.25]]


def test_scst_reads_its_baseline_as_in_testing_and_goes_back(monkeypatch):
    modes, plain = [], scst.greedy
    monkeypatch.setattr(scst, "greedy", lambda decoder, *rest: modes.append(decoder.training) or plain(decoder, *rest))
    tiny, batch = Tiny(), batch_of_tiny(4)
    tiny.train()
    baseline = SCST(samples=2, **ALONE).baseline(tiny, batch, Context(STEPS))
    assert modes == [False] and tiny.training and baseline.shape == (4, 1)

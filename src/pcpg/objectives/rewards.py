"""Rewards of Eq. 4 and their return, for a whole batch of sampled transcriptions at once."""

import torch

from pcpg.objectives.rollout import before_end, steps_taken
from pcpg.reader.batches import Batch


def edit_distances(hyp: torch.Tensor, ref: torch.Tensor) -> torch.Tensor:
    """Levenshtein distances of all prefixes: hyp (N, U), ref (N, S), int64 -> (N, U + 1, S + 1): ED(hyp[:u], ref[:k]).

    Held as f[u, k] = ED - u - k, in which an inserted or deleted character costs nothing and a kept one -2: over
    deletions the recurrence is then a running minimum, and a step takes few calls, each of which costs a GPU time.
    """
    (count, steps), size = hyp.shape, ref.shape[1]
    costs = (hyp.T[:, :, None] != ref).long() - 2  # (U, N, S)
    columns = [hyp.new_zeros(count, size + 1)]
    for cost in costs:
        last = columns[-1]
        candidates = torch.cat([last[:, :1], torch.minimum(last[:, 1:], last[:, :-1] + cost)], dim=1)
        columns.append(candidates.cummin(dim=1).values)
    u, k = torch.arange(steps + 1, device=hyp.device), torch.arange(size + 1, device=hyp.device)
    return torch.stack(columns, dim=1) + u[:, None] + k


def prefix_edit_distances(hyp: torch.Tensor, ref: torch.Tensor, ref_lengths: torch.Tensor) -> torch.Tensor:
    """Edit distances of every prefix of each hypothesis to its reference.

    hyp (N, U), ref (N, S), ref_lengths (N,), int64 -> (N, U + 1) int64: ED(hyp[:, :u], ref[:, :ref_lengths]).
    """
    whole = ref_lengths[:, None, None].expand(-1, hyp.shape[1] + 1, 1)
    return edit_distances(hyp, ref).gather(2, whole).squeeze(2)


def rewards(hyp: torch.Tensor, hyp_lengths: torch.Tensor, ref: torch.Tensor, ref_lengths: torch.Tensor) -> torch.Tensor:
    """Eq. 4: r_u = ED(y_1:u-1, S) - ED(y_1:u, S), in {-1, 0, 1}; 0 at and after the end symbol.

    hyp (N, U), hyp_lengths (N,) characters before the end symbol, ref (N, S), ref_lengths (N,) -> (N, U) int64.
    The first row of Eq. 4 is the second with ED(empty, S) = |S|.
    """
    distances = prefix_edit_distances(hyp, ref, ref_lengths)
    steps = torch.arange(hyp.shape[1], device=hyp.device)
    return (distances[:, :-1] - distances[:, 1:]) * (steps < hyp_lengths[:, None])


def returns(rewards: torch.Tensor, lengths: torch.Tensor, gamma: float, discount_from: str) -> torch.Tensor:
    """Return of each step: rewards (N, U), lengths (N,) steps taken -> (N, U) float, 0 after a row's last step.

    discount_from "end": R_u = sum_{i>=u} gamma^(U-i) r_i with U the row's own length, as the paper prints it;
    "step": R_u = sum_{i>=u} gamma^(i-u) r_i, the usual form.
    """
    u = torch.arange(rewards.shape[1], device=rewards.device)
    taken = u < lengths[:, None]
    if discount_from == "end":
        exponent = (lengths[:, None] - 1 - u).clamp(min=0)[:, :, None].expand(-1, -1, len(u))
    else:
        exponent = (u[:, None] - u).clamp(min=0).expand(len(rewards), -1, -1)
    discount = torch.tril(gamma ** exponent.double())  # (N, i, u): the weight of r_i in R_u, 0 for i < u
    return (torch.einsum("ni,niu->nu", (rewards * taken).double(), discount) * taken).float()


def step_rewards(texts: torch.Tensor, batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
    """Rewards (N * M, U) of the M texts of each of N clips, side by side, and |S| (N * M,): texts (N * M, U)."""
    rows_per_clip = len(texts) // len(batch.targets)
    lengths = batch.target_lengths.repeat_interleave(rows_per_clip) - 1  # without the end symbol
    return rewards(texts, before_end(texts), batch.targets.repeat_interleave(rows_per_clip, 0), lengths), lengths


def whole_distances(texts: torch.Tensor, batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
    """ED of the M texts of each of N clips, side by side, and the |S| of each: (N * M, U) -> two int64 (N * M,)."""
    immediate, lengths = step_rewards(texts, batch)
    return lengths - immediate.sum(dim=1), lengths  # by Eq. 4 rewards add up to |S| - ED


def rewards_of(texts: torch.Tensor, batch: Batch) -> torch.Tensor:
    """R = 1 - ED / |S| of the M texts of each of N clips: (N * M, U) -> (N, M); below 0 for very many edits."""
    immediate, lengths = step_rewards(texts, batch)
    return (immediate.sum(dim=1) / lengths).view(len(batch.targets), -1)


def reward_to_go(texts: torch.Tensor, batch: Batch) -> torch.Tensor:
    """Reward to go of each step / |S|, not discounted: (N * M, U) -> (N * M, U), M texts a clip side by side."""
    immediate, lengths = step_rewards(texts, batch)
    return returns(immediate, steps_taken(texts), 1.0, "step") / lengths[:, None]


def alike(reward: torch.Tensor) -> torch.Tensor:
    """reward (N, M) -> scalar: the share of clips whose texts have equal rewards: nothing to compare."""
    return (reward == reward[:, :1]).all(dim=1).float().mean()

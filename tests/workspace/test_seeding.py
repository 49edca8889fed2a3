"""Every training, epoch and clip draws from a sequence of its own, the same on every machine."""

from itertools import product

from pcpg.workspace.seeding import generator, stream


def test_paths_have_seeds_of_their_own():
    paths = list(product(range(1, 6), range(20), range(1, 50)))
    assert len({stream(*path) for path in paths}) == len(paths)


def test_a_path_has_the_same_seed_everywhere():
    assert stream(1, 2, 3) == 3822189696
    assert generator(1, 2, 3).initial_seed() == stream(1, 2, 3)

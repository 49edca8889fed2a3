"""Error rates: the corpus' and the mean of the utterances', which differ when lengths do."""

import pytest

from pcpg.reader.metrics import error_rates


def test_rates_by_hand():
    rates = error_rates(["bin blue", "a"], ["bin blur", "b"])
    assert rates["cer"] == pytest.approx(2 / 9)
    assert rates["mean_cer"] == pytest.approx((1 / 8 + 1) / 2)
    assert rates["wer"] == pytest.approx(2 / 3)
    assert rates["mean_wer"] == pytest.approx((1 / 2 + 1) / 2)


def test_a_perfect_and_an_empty_hypothesis():
    assert error_rates(["set red"], ["set red"])["wer"] == 0
    assert error_rates(["set red"], [""]) == {"cer": 1, "mean_cer": 1, "wer": 1, "mean_wer": 1}

"""The numbers that Luo et al. (FG 2020) print in Tables I-V, in percent, keyed by our corpus and run names.

Every number of the paper that the report shows comes from here and stands here once.
"""

from fractions import Fraction

CORPORA = {"grid": "GRID", "lrw": "LRW", "lrw1000": "LRW-1000"}
WORDS = "grid_words"
DATASETS = CORPORA | {WORDS: "GRID words"}  # of which the paper has nothing

TABLE1 = {
    "grid": {
        "ce": {"cer": 8.4, "wer": 18.3},
        "k1s1": {"cer": 7.6, "wer": 16.6},
        "k5s5": {"cer": 6.9, "wer": 15.3},
        "k5s1": {"cer": 5.9, "wer": 12.3},
    },
    "lrw": {
        "ce": {"cer": 17.5, "wer": 28.3},
        "k1s1": {"cer": 15.2, "wer": 24.8},
        "k5s5": {"cer": 15.0, "wer": 26.5},
        "k5s1": {"cer": 14.1, "wer": 22.7},
    },
    "lrw1000": {
        "ce": {"cer": 52.1, "wer": 68.2},
        "k1s1": {"cer": 51.4, "wer": 67.7},
        "k5s5": {"cer": 51.6, "wer": 67.2},
        "k5s1": {"cer": 51.3, "wer": 66.9},
    },
}

# the kernel w and the stride s of each run of Tables I, IIa and IIb
KERNELS = {
    "k1s1": ((Fraction(1),), 1),
    "k5s5": ((Fraction(1, 5),) * 5, 5),
    "k5s1": ((Fraction(1, 5),) * 5, 1),
    "k2s1": ((Fraction(1, 2),) * 2, 1),
    "k3s1": ((Fraction(1, 3),) * 3, 1),
    "k7s1": ((Fraction(1, 7),) * 7, 1),
    "k3s1-w121": ((Fraction(1, 4), Fraction(1, 2), Fraction(1, 4)), 1),
    "k3s1-w231": ((Fraction(1, 3), Fraction(1, 2), Fraction(1, 6)), 1),
    "k3s1-w132": ((Fraction(1, 6), Fraction(1, 2), Fraction(1, 3)), 1),
}

# GRID, WER by kernel size (stride 1, uniform weights) and by kernel weights (k = 3, stride 1)
TABLE2A = {"k1s1": 16.6, "k2s1": 16.0, "k3s1": 12.1, "k5s1": 12.3, "k7s1": 14.8}
TABLE2B = {"k3s1": 12.1, "k3s1-w121": 11.9, "k3s1-w231": 12.7, "k3s1-w132": 12.6}

# accuracy; the baseline of the paper (no pre-training) is our probe "scratch", its encoder that of k5s1
TABLE3 = {
    "lrw": {"scratch": 82.1, "k5s1-fe_tc": 82.4, "k5s1-te_tc": 83.5},
    "lrw1000": {"scratch": 37.8, "k5s1-fe_tc": 38.5, "k5s1-te_tc": 38.7},
}

# accuracy by the paper's reference number
TABLE4_OTHERS = {
    "lrw": {"[21]": 82.0, "[24]": 83.0, "[23]": 82.9, "[27]": 83.34},
    "lrw1000": {"[27]": 36.91, "[29]": 38.19},
}
TABLE4_PAPER = {"lrw": 83.5, "lrw1000": 38.70}

# GRID, WER; "beam" and "greedy" are with and without beam search
TABLE5A_OTHERS = {"[26]": 20.4, "[13]": 13.6, "[4] greedy": 13.6, "[4] beam": 11.4}
LIPNET_OVERLAPPED = {"greedy": 5.6, "beam": 4.8}  # [4] on speakers seen in training; not quoted by the paper
TABLE5A_PAPER = {"greedy": 11.9, "beam": 11.2}
TABLE5A_RUN = "k3s1-w121"  # the paper does not say which; 11.9 is its Table IIb for w=[1/4, 1/2, 1/4]

# accuracy = 1 - WER
TABLE5B_OTHERS = {"lrw": {"[2]": 76.2}}
TABLE5B_PAPER = {"lrw": 78.5, "lrw1000": 33.1}

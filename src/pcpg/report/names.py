"""The tables and figures that there are, by name; nothing heavy is imported to know them."""

from collections.abc import Sequence


def table_names() -> tuple[str, ...]:
    of_the_paper = ("table1", "table2a", "table2b", "table3", "table4", "table5a", "table5b")
    return (*of_the_paper, "ablation", "scratch", "objectives", "words", "updates")


def figure_names(corpora: Sequence[str]) -> tuple[str, ...]:
    alone = ("verdicts", "fig5_coverage", "sweep_k", "sweep_w", "strip")
    kinds = ("fig6_{}", "fig6_{}_scratch", "course_{}", "policy_{}", "objectives_{}", "attention_{}", "contact_{}")
    return (*alone, *(kind.format(each) for kind in kinds for each in corpora))


def figure_parts(name: str) -> tuple[str, str, bool]:
    """Kind, corpus, and whether of runs from scratch: "fig6_grid_words_scratch" -> ("fig6", "grid_words", True)."""
    kind, _, corpus = name.partition("_")
    return kind, corpus.removesuffix("_scratch"), corpus.endswith("_scratch")

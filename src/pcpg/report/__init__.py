"""From the results of the runs to the paper's tables and figures, ours beside the paper's."""

"""`pcpg verify`: a verdict on one's own reproduction, the results of a run beside the committed ones or any others."""

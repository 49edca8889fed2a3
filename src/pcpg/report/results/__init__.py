"""What the runs came to: read in one place, with intervals, for tables, claims, figures and the page."""

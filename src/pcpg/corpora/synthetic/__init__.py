"""Generated talking faces, written in each corpus' own format on disk."""

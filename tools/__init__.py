"""What refreshes the knowledge under compat_matrix/; never imported by envcheck."""

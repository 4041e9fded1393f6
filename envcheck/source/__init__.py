"""Static reading of Python source and notebooks: files, their text, their syntax, the names that they use. No opinions."""

"""One module per question: pure functions from facts to findings."""

"""One module per subject: its facts, and collect(host, …). Only these touch the world."""

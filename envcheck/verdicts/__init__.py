"""References joined to the API history: what becomes of each on a target. Facts, no opinions: the API checks have those."""

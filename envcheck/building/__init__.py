"""``envcheck build``: a model of the user's, made, trained for one step, saved and loaded in the target interpreter."""

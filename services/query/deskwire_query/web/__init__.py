"""The agents' workspace: pages over the read models, with a little JavaScript."""

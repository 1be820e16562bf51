"""Hierarchies side by side: every stage of one against every stage of another, on the stimuli they share."""

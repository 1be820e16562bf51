"""Laws that summaries, sources, stimuli and metrics must keep, and toys with known answers."""

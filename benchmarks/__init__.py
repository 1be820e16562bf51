"""Speed and memory as ratios to the limit measured in the same run; never asserted in a test."""

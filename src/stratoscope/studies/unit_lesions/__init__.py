"""Unit lesions: silence channels of one stage by a criterion, and measure what the network's own accuracy loses."""

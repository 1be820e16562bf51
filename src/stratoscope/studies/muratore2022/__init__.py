"""The prune-and-distill study, after Muratore et al. 2022: of the paper only the abstract could be verified."""

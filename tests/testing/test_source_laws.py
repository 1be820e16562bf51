"""Every law must catch the source that breaks it; the honest one passes them all (tests/sources)."""

import numpy as np
import pytest
import torch
from torch import nn

from stratoscope.testing.source_laws import (
    check_answers_once,
    check_batching,
    check_leaves_no_trace,
    check_reads_at_once,
    check_repeatable,
    check_source,
    check_stages,
)
from stratoscope.testing.toys import Restless, SharedRelu, SignedRelu, toy_stimuli
from stratoscope.types import Played, Stage


class Plain:
    """An honest source written in the plainest way; every liar below changes one thing in it."""

    name = "plain"
    module_class = Restless
    read = ("conv", "relu")

    def __init__(self):
        self.module = self.module_class()
        self.stages = tuple(
            Stage(name, (i + 1) / len(self.read), "other", self.shape, "channel", self.shape[0], "channels-first")
            for i, name in enumerate(self.read)
        )

    @property
    def shape(self):
        return (self.module.conv.out_channels if hasattr(self.module, "conv") else 3, 8, 8)

    def describe(self):
        return {}

    def play(self, stimuli, visit, *, batch_size=32, workers=2, skip_unreadable=False, progress=None):
        modes = [(part, part.training) for part in self.module.modules()]
        try:
            self.before()
            for start in range(0, len(stimuli), batch_size):
                rows = np.arange(start, min(start + batch_size, len(stimuli)))
                self.batch(stimuli, rows, visit)
                if progress:
                    progress(int(rows[-1]) + 1)
        finally:
            self.after(modes)
        return Played(len(stimuli))

    def before(self):
        for part in self.module.modules():
            part.training = False

    def after(self, modes):
        for part, mode in modes:
            part.training = mode

    def images(self, stimuli, rows):
        return torch.stack([torch.from_numpy(stimuli.load(int(row))) for row in rows])

    def batch(self, stimuli, rows, visit):
        handles = [
            self.module.get_submodule(stage.name).register_forward_hook(self.hook(stage, rows, visit))
            for stage in self.stages
        ]
        try:
            with torch.no_grad():
                self.module(self.images(stimuli, rows))
        finally:
            for handle in handles:
                handle.remove()

    def hook(self, stage, rows, visit):
        return lambda _module, _inputs, output: visit(stage, rows, output.mean((2, 3)))


def broken(law, liar, match):
    stimuli = toy_stimuli(7)
    with pytest.raises(AssertionError, match=match):
        law(liar, stimuli)
    with pytest.raises(AssertionError):
        check_source(liar, stimuli)


def test_the_plain_honest_source_passes():
    check_source(Plain, toy_stimuli(7))


def test_a_forgotten_evaluation_mode_is_caught():
    class Awake(Plain):
        read = ("conv", "relu", "drop")

        def before(self):
            self.module.train()

    broken(check_batching, Awake, "answers a stimulus always the same")
    broken(check_repeatable, Awake, "in a second pass it answered otherwise")
    broken(check_leaves_no_trace, Awake, "after a pass it had changed the random state of torch and the weights")


def test_a_mode_that_is_not_put_back_is_caught():
    class Sleepy(Plain):
        def after(self, modes):
            pass

    broken(check_leaves_no_trace, Sleepy, "after a pass it had changed the training modes")


def test_a_mode_put_back_for_the_whole_and_not_for_each_part_is_caught():
    class Coarse(Plain):
        def after(self, modes):
            self.module.train(modes[0][1])

    broken(check_leaves_no_trace, Coarse, "the training modes")


def test_a_hook_left_behind_is_caught():
    class Clinging(Plain):
        def before(self):
            super().before()
            self.module.conv.register_forward_hook(lambda *_: None)

    broken(check_leaves_no_trace, Clinging, "had changed the hooks")


def test_hooks_left_behind_after_an_error_only_are_caught():
    class Careless(Plain):
        def batch(self, stimuli, rows, visit):
            handles = [
                self.module.get_submodule(stage.name).register_forward_hook(self.hook(stage, rows, visit))
                for stage in self.stages
            ]
            with torch.no_grad():
                self.module(self.images(stimuli, rows))
            for handle in handles:
                handle.remove()

    broken(check_leaves_no_trace, Careless, "after an error in a visit it had changed the hooks")


def test_a_swallowed_error_is_caught():
    class Deaf(Plain):
        def batch(self, stimuli, rows, visit):
            try:
                super().batch(stimuli, rows, visit)
            except Exception:  # noqa: BLE001 - that is the lie
                return

    broken(check_leaves_no_trace, Deaf, "An error in a visit reaches the caller")


def test_a_reference_kept_past_an_in_place_relu_is_caught():
    class Hoarder(Plain):
        module_class = SignedRelu

        def batch(self, stimuli, rows, visit):
            self.kept = []
            super().batch(stimuli, rows, visit)
            for stage, output in self.kept:
                visit(stage, rows, output.mean((2, 3)))

        def hook(self, stage, rows, visit):
            return lambda _module, _inputs, output: self.kept.append((stage, output))

    broken(check_reads_at_once, Hoarder, "Stage 'conv' hands over what its module returned; the largest difference")


def test_a_call_counted_twice_is_caught():
    class Double(Plain):
        module_class = SharedRelu
        read = ("first", "relu")

    broken(check_answers_once, Double, "Stage 'relu' answers every stimulus exactly once")


def test_a_lost_last_batch_is_caught():
    class Hasty(Plain):
        def batch(self, stimuli, rows, visit):
            if rows[-1] < len(stimuli) - 1 or len(rows) == len(stimuli):
                super().batch(stimuli, rows, visit)

    broken(check_answers_once, Hasty, r"did so this often: \{'toy-noise-0-6': 0\}")


def test_consumed_random_numbers_are_caught():
    class Gambler(Plain):
        def before(self):
            super().before()
            np.random.random()

    broken(check_leaves_no_trace, Gambler, "had changed the random state of numpy")


def test_a_source_bound_to_the_order_of_stimuli_is_caught():
    class Bound(Plain):
        def images(self, stimuli, rows):
            return super().images(stimuli, rows) + torch.from_numpy(rows)[:, None, None, None]

    broken(check_batching, Bound, "played backwards it answered otherwise")


def test_a_source_that_looks_at_the_whole_batch_is_caught():
    class Gregarious(Plain):
        def images(self, stimuli, rows):
            images = super().images(stimuli, rows)
            return images - images.mean(0)

    broken(check_batching, Gregarious, "with {'batch_size': 1, 'workers': 1} it answered otherwise")


def test_wrong_numbers_of_units_and_wrong_shapes_are_caught():
    class Boastful(Plain):
        def hook(self, stage, rows, visit):
            return lambda _module, _inputs, output: visit(stage, rows, output.mean((2, 3))[:, 1:])

    class Raw(Plain):
        def hook(self, stage, rows, visit):
            return lambda _module, _inputs, output: visit(stage, rows, output)

    broken(check_answers_once, Boastful, "Stage 'conv' says 4 units; it gave 3")
    broken(check_answers_once, Raw, r"Responses are \(stimulus=2, unit\); stage 'conv' gave \(2, 4, 8, 8\)")


def test_stages_out_of_order_are_caught():
    class Backwards(Plain):
        read = ("relu", "conv")

    class Deep(Plain):
        def __init__(self):
            super().__init__()
            self.stages = tuple(Stage(s.name, 1 - s.depth, s.kind, s.shape, s.unit, s.n_units) for s in self.stages)

    broken(check_stages, Backwards, "visited in the order listed")
    broken(check_stages, Deep, "Stages are listed in order of depth")


def test_weights_moved_to_new_tensors_are_caught():
    class Replacing(Plain):
        def before(self):
            super().before()
            self.module.conv.weight = nn.Parameter(self.module.conv.weight.detach().clone())

    broken(check_leaves_no_trace, Replacing, "had changed which|had changed the weights")


def test_the_laws_need_three_stimuli():
    with pytest.raises(AssertionError, match="need at least 3 stimuli"):
        check_source(Plain, toy_stimuli(2))

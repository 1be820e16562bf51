"""A recording needs no torch."""

import subprocess
import sys


def test_a_recording_is_counted_and_played_without_torch():
    code = (
        "import sys, numpy as np, stratoscope as st;"
        "from stratoscope.sources.recording import Presentations, TrialCounts, Units;"
        "counts = TrialCounts(np.ones((6, 3)), Units('abc', np.array('V1')), Presentations('xyzxyz'));"
        "recording = st.Recording(counts); out = [];"
        "recording.play(recording.stimuli(), lambda stage, rows, r: out.append(r.shape));"
        "print(out, 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "[(3, 3)] False", done.stderr

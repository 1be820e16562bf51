"""Ten lines: a bundled network on rendered objects, one pass, a table and a report."""

import tempfile
from pathlib import Path

import stratoscope as st

source = st.open_source("bundled:vgg", stages="relu")
stimuli = st.open_stimuli("objects:tafazoli?objects=jug,star,knot,ring")  # 38 views of each
results = st.profile(source, stimuli, metrics=["population_sparseness", "two_nn", "cka"], progress=False)

print(results.table()[["stage", "metric", "control", "value", "low", "high", "n"]].to_string())
print(results.cross["cka.position"].round(2).to_numpy())  # how alike the stages are
print(results.report(Path(tempfile.mkdtemp()) / "report.html"))

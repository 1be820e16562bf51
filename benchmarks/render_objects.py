"""How long rendering takes: python benchmarks/render_objects.py [N]. The aim is 10,000 images of 64 pixels in 60 s on 2 cores."""

from __future__ import annotations

import sys
import time

from stratoscope.stimuli.objects import DEFAULT_OBJECTS, Screen, default_object, dense_views, render, tafazoli_views


def main(n: int) -> None:
    meshes = {name: default_object(name) for name in DEFAULT_OBJECTS}
    sets = {
        f"{n} dense views, 64 pixels": (dense_views(DEFAULT_OBJECTS, n, seed=1), 64),
        "380 views, 64 pixels": (tafazoli_views(DEFAULT_OBJECTS), 64),
        "380 views, 224 pixels": (tafazoli_views(DEFAULT_OBJECTS), 224),
    }
    for what, (views, pixels) in sets.items():
        for threads in (1, 2):
            started, worked = time.perf_counter(), time.process_time()
            render(meshes, views, Screen(pixels=pixels), threads=threads)
            wall, cpu = time.perf_counter() - started, time.process_time() - worked
            print(f"{what}, {threads} threads: {wall:.1f} s ({cpu:.1f} s of processor)")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)

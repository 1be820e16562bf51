"""After Tafazoli et al. 2017: what single units of visual areas tell about luminance and about objects, and claims on it."""

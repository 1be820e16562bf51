"""Rendered 3-D objects under controlled views: the ``objects:`` stimuli."""

from stratoscope.stimuli.objects.files import open_mesh, open_meshes
from stratoscope.stimuli.objects.mesh import Mesh, make_mesh
from stratoscope.stimuli.objects.opener import open_objects
from stratoscope.stimuli.objects.render import render
from stratoscope.stimuli.objects.rendered import make_set
from stratoscope.stimuli.objects.screen import Screen
from stratoscope.stimuli.objects.shapes import DEFAULT_OBJECTS, default_object
from stratoscope.stimuli.objects.views import DEFAULT_VIEW, Views, dense_views, tafazoli_views

__all__ = [
    "DEFAULT_OBJECTS",
    "DEFAULT_VIEW",
    "Mesh",
    "Screen",
    "Views",
    "default_object",
    "dense_views",
    "make_mesh",
    "make_set",
    "open_mesh",
    "open_meshes",
    "open_objects",
    "render",
    "tafazoli_views",
]

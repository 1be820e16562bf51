"""The opener of ``objects:``: from a short text to a set of rendered views."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from stratoscope.errors import BadInput, unknown_name
from stratoscope.stimuli.columns import keep_columns, pick_category
from stratoscope.stimuli.objects.files import open_meshes
from stratoscope.stimuli.objects.mesh import Mesh
from stratoscope.stimuli.objects.rendered import make_set
from stratoscope.stimuli.objects.screen import Screen
from stratoscope.stimuli.objects.shapes import DEFAULT_OBJECTS, default_object
from stratoscope.stimuli.objects.spec import SCREEN_OPTIONS, Asked, parse_spec
from stratoscope.stimuli.objects.views import AXES, DENSE_RANGES, Views, dense_views, tafazoli_views
from stratoscope.stimuli.openers import Wanted, opener, refuse
from stratoscope.types import Stimuli

#: Views of a dense set whose number is not said.
DENSE_N = 2000


def open_objects(spec: str = "", *, objects: Mapping[str, Mesh] | None = None) -> Stimuli:
    """Open rendered views of objects as stimuli.

    Parameters
    ----------
    spec : str
        What stands after ``objects:``. Nothing or ``tafazoli``: the 380 views of Tafazoli et al. 2017 of the ten
        default objects. ``dense?n=2000&seed=1``: random combined views. A mesh file or a folder of them: the
        Tafazoli views of these. Options follow after ``?`` and are joined by ``&``: ``objects=jug,star`` (which),
        ``meshes=PATH,PATH`` (files or folders, in place of the default objects), ``pixels=64``, ``field=96``,
        ``width=120``, ``height=90`` (degrees), ``projection=angular|flat``, ``background=0`` (0 to 1); for
        ``tafazoli`` ``axes=size,in_plane`` and ``views=38`` (views an object); for ``dense`` ``n``, ``seed``,
        ``redraw=1`` and a range for each axis such as ``azimuth=-10,10`` or ``luminance=100``.
    objects : mapping of str to Mesh, optional
        Objects to show, instead of the default ones.

    Returns
    -------
    Stimuli
        RGB images and, as columns, ``category`` (the object) and every parameter of the view: ``object``, ``axis``,
        ``azimuth``, ``elevation``, ``size``, ``in_plane``, ``in_depth`` (degrees) and ``luminance`` (percent).

    Raises
    ------
    UnknownName, BadInput
        If a name or option is not known, a mesh cannot be used, or a view leaves the screen.

    Examples
    --------
    >>> stimuli = open_objects("dense?n=20&pixels=32")
    >>> len(stimuli), stimuli.load(3).size
    (20, (32, 32))
    """
    asked = parse_spec(spec)
    meshes = _chosen(asked, objects)
    given = {name: read(asked.options[name]) for name, read in SCREEN_OPTIONS.items() if name in asked.options}
    screen = Screen(**given)
    background = float(asked.options.get("background", 0))
    if not 0 <= background <= 1:
        raise BadInput(f"The background is a luminance between 0 (dark) and 1; came {background:g}.")
    views = _views(asked, list(meshes), screen)
    return make_set(f"objects:{spec}", meshes, views, screen, background=background)


def _chosen(asked: Asked, given: Mapping[str, Mesh] | None) -> dict[str, Mesh]:
    """The meshes to show, by name."""
    if "meshes" in asked.options:
        given = open_meshes(asked.options["meshes"].split(","))
    names = asked.options["objects"].split(",") if "objects" in asked.options else list(given or DEFAULT_OBJECTS)
    for name in names:
        if name not in (given or DEFAULT_OBJECTS):
            raise unknown_name("object", name, given or DEFAULT_OBJECTS)
    return {name: given[name] if given else default_object(name) for name in names}


def _views(asked: Asked, names: Sequence[str], screen: Screen) -> Views:
    options = asked.options
    if asked.kind == "tafazoli":
        axes = tuple(options["axes"].split(",")) if "axes" in options else AXES
        return tafazoli_views(names, axes=axes, per_object=int(options["views"]) if "views" in options else None)
    return dense_views(
        names,
        int(options.get("n", DENSE_N)),
        seed=int(options.get("seed", 0)),
        ranges={name: _range(name, options[name]) for name in DENSE_RANGES if name in options},
        screen=screen,
        redraw=options.get("redraw", "0") not in ("0", "false", "no"),
    )


def _range(name: str, text: str) -> tuple[float, float]:
    try:
        ends = [float(word) for word in text.split(",")]
        low, high = ends if len(ends) > 1 else ends * 2
    except ValueError as error:
        raise BadInput(f"The range of {name!r} reads LOW,HIGH or one number; came {text!r}.") from error
    return low, high


@opener("objects")
def _open(where: str, wanted: Wanted) -> Stimuli:
    """Open ``objects:`` with the columns that were asked for."""
    refuse(wanted, "rendered objects", "image_column", "root")
    stimuli = open_objects(where)
    columns, notes = pick_category(stimuli.columns, wanted.category_column or "category", stimuli.name)
    return replace(
        stimuli, columns=keep_columns(columns, wanted.columns), notes=notes if wanted.category_column else ()
    )

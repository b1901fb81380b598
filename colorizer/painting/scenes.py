"""Scenes: what a picture shows, by the names that a network has for it; said only where that is mostly right.

Where no single scene is likely enough its kind may be: indoors, nature or town.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

Tags = tuple[tuple[str, float], ...]
"""Names and their probabilities."""

MOST = 3
"""Scenes that are kept of a picture."""
SURE, SURE_KIND = 0.5, 0.8
"""Probabilities from which a scene, or its kind, is said. On held-out pictures, new and worn, three fifths to three
quarters of such scenes were right, and nine in ten kinds: docs/models.md."""
INDOORS, NATURE, TOWN = "indoors", "nature", "town"

KINDS: dict[str, str] = {
    name: kind
    for kind, names in {
        INDOORS: "airport_terminal aquarium art_gallery assembly_line auditorium bakery/shop ballroom banquet_hall bar "
        "bathroom beauty_salon bedroom bookstore bowling_alley boxing_ring bus_interior butchers_shop candy_store "
        "classroom clothing_store cockpit coffee_shop conference_room corridor dining_room food_court hospital_room "
        "kindergarden_classroom kitchen laundromat living_room lobby locker_room martial_arts_gym museum/indoor "
        "office restaurant shower stage/indoor staircase subway_station/platform supermarket",
        NATURE: "badlands bamboo_forest botanical_garden campsite canyon coast corn_field desert/sand golf_course "
        "hot_spring iceberg mountain rainforest river rock_arch ski_slope swamp valley volcano yard",
        TOWN: "abbey amphitheater amusement_park aqueduct baseball_field boat_deck bridge cemetery chalet "
        "church/outdoor construction_site courtyard dam driveway fire_station fountain gas_station harbor highway "
        "ice_skating_rink/outdoor lighthouse market/outdoor monastery/outdoor palace parking_lot phone_booth "
        "playground racecourse railroad_track runway shed skyscraper slum stadium/football swimming_pool/outdoor "
        "temple/east_asia track/outdoor trench",
    }.items()
    for name in names.split()
}
"""Kinds of the scenes that the shipped weights know (MIT MiniPlaces); town is whatever people built outdoors."""


def likely(odds: np.ndarray, classes: Sequence[str], digits: int = 3) -> Tags:
    """The likeliest scenes, and behind them the likeliest kind; nothing where a network has no names.

    odds: (len(classes),), which add up to 1.
    """
    if not classes:
        return ()
    best = np.argsort(-odds, kind="stable")[:MOST].tolist()
    sums = dict.fromkeys((INDOORS, NATURE, TOWN), 0.0)
    for name, share in zip(classes, odds.tolist(), strict=True):
        if name in KINDS:
            sums[KINDS[name]] += share
    kind = max(sums, key=lambda name: sums[name])
    kinds = ((kind, round(sums[kind], digits)),) if sums[kind] else ()
    return (*((classes[i], round(float(odds[i]), digits)) for i in best), *kinds)


def said(tags: Tags) -> Tags:
    """What a person is told of them: the scene, or else its kind, or nothing."""
    scene = max((tag for tag in tags if not is_kind(tag[0])), key=_share, default=("", 0.0))
    kind = max((tag for tag in tags if is_kind(tag[0])), key=_share, default=("", 0.0))
    if scene[1] >= SURE:
        return (scene,)
    return (kind,) if kind[1] >= SURE_KIND else ()


def is_kind(name: str) -> bool:
    """Whether a tag is of a kind, not of a scene."""
    return name in (INDOORS, NATURE, TOWN)


def _share(tag: tuple[str, float]) -> float:
    return tag[1]

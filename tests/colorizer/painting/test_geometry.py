"""How stored planes are seen."""

from colorizer.painting.geometry import Geometry


def test_anamorphic_picture_is_seen_at_its_shape():
    """The working grid has the display's aspect, not the storage's, and is never empty or unbounded."""
    assert Geometry(aspect=2.0).working_shape(240, 160, 96) == (96, 128)
    assert Geometry(aspect=0.5, rotation=90).working_shape(240, 160, 96) == (96, 288)
    assert min(Geometry().working_shape(8, 4000, 96)) >= 8
    assert max(Geometry(aspect=20).working_shape(8, 100_000, 4096)) <= 16384

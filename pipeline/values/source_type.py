"""IPTC's name for how a picture came about that a model colored."""

SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"
"""IPTC Digital Source Type: the picture is a camera's, its colors are a trained model's."""

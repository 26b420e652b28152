"""Pictures as rows: their colours in a space where distances are what the eye sees."""

from truemeans.pictures.cielab import from_lab, to_lab
from truemeans.pictures.read import Picture, read_picture
from truemeans.pictures.write import hex_of, quantised, swatches

__all__ = ["Picture", "from_lab", "hex_of", "quantised", "read_picture", "swatches", "to_lab"]

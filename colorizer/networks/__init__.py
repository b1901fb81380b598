"""Networks: what turns luma and a look into color, their weights files, and exact tiles of a picture."""

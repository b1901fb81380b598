"""Color: luma codes, L*a*b*, chroma at kept luma, and small chroma enlarged along luma's edges."""

"""Collections: many reels and scans on one pool, unattended. What fails is set aside, the rest is finished."""

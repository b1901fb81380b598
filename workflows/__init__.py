"""What a person asks for: the commands that wire pipeline and colorizer together."""

"""The page and the card of a model that writes texts or music: how well it foretells, and what it writes."""

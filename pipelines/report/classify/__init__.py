"""The page and the card of a classifier: how often it is right, how sure it is, and where it errs."""

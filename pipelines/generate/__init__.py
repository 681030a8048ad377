"""`seqlayers generate`: text or music from an exported model, by the steps of its stream."""

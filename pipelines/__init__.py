"""From a configuration to a shipped model."""

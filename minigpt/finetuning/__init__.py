"""From a model that continues a text to one that answers."""

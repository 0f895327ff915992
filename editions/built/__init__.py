"""The built site as the editions read it, and the stills of what moves on it."""

"""The whole book in one file: PDF and EPUB."""

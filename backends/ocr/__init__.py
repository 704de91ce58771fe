"""OCR engines, which tell whether a picture holds text, and read the text."""

"""Reports on clusters: CSV, Markdown, one HTML page."""

"""Parts of one screen that are more than a widget: each asks desks and has work of its own."""

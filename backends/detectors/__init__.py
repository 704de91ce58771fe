"""Open-vocabulary vision: what is in a picture and where, asked for by words."""

"""What is done with a picture: things found and named, text read, all brought to records."""

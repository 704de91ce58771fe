"""The screens of the app, one mode each."""

"""The parts of `app.py`: it would be long with them."""

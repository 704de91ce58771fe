"""Workers: processes that hold the models, and what starts and feeds them."""

"""What a data set needs of its pictures and captions: features of DINO, masks of T5."""

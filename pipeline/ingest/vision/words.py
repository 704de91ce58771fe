"""What is looked for unless the user names something else: the things of everyday photos."""

from __future__ import annotations

EVERYDAY: tuple[str, ...] = (
    *("person", "child", "baby", "face", "dog", "cat", "horse", "cow", "sheep", "bird"),
    *("fish", "bear", "elephant", "giraffe", "zebra", "insect", "tree", "flower", "plant"),
    *("mountain", "beach", "lake", "building", "house", "church", "tower", "bridge", "street"),
    *("car", "bus", "truck", "train", "motorcycle", "bicycle", "boat", "airplane", "tent"),
    *("traffic light", "street sign", "bench", "fence", "statue", "flag", "umbrella", "bag"),
    *("suitcase", "hat", "glasses", "dress", "shoe", "ball", "skis", "surfboard", "kite"),
    *("toy", "book", "newspaper", "screen", "laptop", "phone", "camera", "clock", "lamp"),
    *("chair", "sofa", "bed", "table", "window", "door", "mirror", "sink", "toilet", "oven"),
    *("refrigerator", "plate", "cup", "bottle", "glass of wine", "knife", "fork", "spoon"),
    *("cake", "pizza", "sandwich", "bread", "fruit", "salad", "meat", "candle", "gift"),
    *("guitar", "piano", "painting", "poster", "document", "receipt", "ticket"),
)

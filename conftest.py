"""For every pytest run, nbval's over notebooks/ included."""

import os

os.environ["MINIGPT_BOOK"] = "1"  # kernels show figures as the committed notebooks hold them

"""For every pytest run, nbval's over notebooks/ included."""

import os
import signal

os.environ["MINIGPT_BOOK"] = "1"  # kernels show figures as the committed notebooks hold them

# The background job of a script has Ctrl-C ignored, which all its children would inherit: kernels
# and commands that tests interrupt would go on for ever.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

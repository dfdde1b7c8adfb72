"""The one training loop and the data it reads."""

import os

# OpenMP's threads spin while they wait. On cores that are shared with another process that made a step
# 3.4 times slower (16.8 against 4.9 ms a patch, two threads on two busy cores); read before torch loads.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

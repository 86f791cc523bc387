"""exp from Python: `run`, `sweep`, `load`, `results`, and a scikit-learn estimator.

Importing it sets `MKL_CBWR` and `OPENBLAS_NUM_THREADS` as the command line does, if torch
and NumPy are not imported yet. Runs then produce the same bits as on the command line.
"""

import os
import sys

if "torch" not in sys.modules:
    os.environ.setdefault("MKL_CBWR", "AUTO")
if "numpy" not in sys.modules:
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

"""exp from Python: `run`, `sweep`, `load`, `results`, and a scikit-learn estimator.

Importing it sets `MKL_CBWR` and `OPENBLAS_NUM_THREADS` as the command line does, as far as torch
and NumPy are not imported yet: runs then give the same bits as there.
"""

import os
import sys

if "torch" not in sys.modules:
    os.environ.setdefault("MKL_CBWR", "AUTO")
if "numpy" not in sys.modules:
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

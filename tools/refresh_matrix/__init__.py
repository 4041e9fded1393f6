"""Makes ``compat_matrix/releases/`` and the released columns of ``compat_matrix/tensorflow.yaml`` from the releases themselves.

Final and post releases are recorded, yanked ones marked; release candidates and development builds only of a distribution
that has nothing else. Run it with ``make refresh``.
"""

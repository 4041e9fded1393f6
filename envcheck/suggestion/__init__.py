"""Which versions to install: chosen from the matrix for one machine. Pure: it sees facts and the matrix, nothing else."""

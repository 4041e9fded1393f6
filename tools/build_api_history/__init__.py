"""Write compat_matrix/api/ anew: make an environment for each TensorFlow and Keras release, extract its API, merge.

`python -m tools.build_api_history` (or `make api`) is the maintainers' command; envcheck itself never imports this.
"""

"""``envcheck scan``: model code against TensorFlow and Keras releases."""

from __future__ import annotations

import click
from click.core import ParameterSource

from envcheck.commands.options import judging_options, output_options


@click.command("scan")
@click.argument("paths", nargs=-1, metavar="[PATH]…")
@click.option(
    "--target",
    "targets",
    multiple=True,
    metavar="RELEASES",
    help='"tensorflow==2.21" or "tensorflow==2.16.2,keras==3.3.3"; may be given several times.  [default: what is installed]',
)
@click.option("--legacy-keras", is_flag=True, help="As if TF_USE_LEGACY_KERAS=1 were set: tf.keras is tf_keras.")
@click.option(
    "--python", metavar="PATH", help="The Python whose packages are the target. Default: the one envcheck runs on."
)
@click.option(
    "--exclude", multiple=True, metavar="PATTERN", help="Leave out files and folders, as a line of .gitignore says it."
)
@click.option("--no-gitignore", is_flag=True, help="Scan what .gitignore leaves out too.")
@click.option("--files-from", metavar="FILE", help="Scan the files named in FILE, one a line; - is stdin.")
@click.option(
    "--stdin-name", default="stdin.py", metavar="NAME", help="The name of the code that PATH - reads from stdin."
)
@click.option("--baseline", metavar="FILE", help="Leave out the findings recorded in FILE.")
@click.option("--write-baseline", metavar="FILE", help="Record the findings in FILE, and leave them out.")
@click.option("--statistics", is_flag=True, help="How often each code and symbol was found, instead of each place.")
@click.option("--jobs", type=click.IntRange(min=1), metavar="N", help="Processes.  [default: one for each core]")
@click.option("--no-cache", is_flag=True, help="Read every file again, and keep nothing.")
@click.option(
    "--references", type=click.Path(), hidden=True, help="Write every reference and what became of it, as JSON lines."
)
@judging_options
@output_options("text")
def command(**options: object) -> int:
    """Find what model code uses that a TensorFlow or Keras release lacks: names, modules, methods, parameters, values.

    PATH is a file or folder of .py, .pyi and .ipynb files and saved models (.keras, .h5, SavedModel folders), by default the
    current folder, or - for code on stdin. Nothing is run or imported. The report says which releases the code needs, and how
    much of it was understood.
    """
    from envcheck.commands.scan.run import Options, scan  # noqa: PLC0415 - --help loads none of this

    if click.get_current_context().get_parameter_source("fail_on") is ParameterSource.DEFAULT:
        options["fail_on"] = None  # the project's settings may say it
    return scan(Options.of(options))

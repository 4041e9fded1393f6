"""The subcommands, one thin module each."""

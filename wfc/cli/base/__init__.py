"""What several commands share. The modules beside this package are the commands."""

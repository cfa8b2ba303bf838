"""Reading logs from disks: followers of files, feeds of routes, and what is lost. No network."""

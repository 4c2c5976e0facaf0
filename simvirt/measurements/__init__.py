"""What was measured of a running system, from the outputs of the tools that people have: load, latency, CPU and memory of each service.

reading.points(paths) -> [Point]    files and folders, whatever tools wrote them; a folder is one run
table.text(points) -> str           the same as a table that people can read and add to
"""

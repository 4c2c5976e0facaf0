"""The line that says how far a run is."""

import io

from rich.console import Console

from simvirt.report import progress


class Event:
    def __init__(self, platform, replication, done_ratio, events=1000, wall_s=0.5):
        self.platform, self.replication, self.done_ratio, self.events, self.wall_s = platform, replication, done_ratio, events, wall_s
        self.replications, self.searched = 4, 0


def test_progress_sums_replications_of_each_platform():
    console = Console(file=io.StringIO(), force_terminal=True, width=100)
    with progress.shown(console) as lines:
        for event in (Event("docker", 1, 1.0), Event("docker", 2, 0.5), Event("kvm", 1, 0.25), Event("docker", 1, 1.0)):
            lines(event)
        tasks = {task.description: task for task in lines._progress.tasks}
        assert {name: task.completed for name, task in tasks.items()} == {"docker": 0.375, "kvm": 0.0625}
        assert tasks["docker"].fields == {"doing": "replication 2/4", "speed": "2.00 k events/s"}


def test_progress_says_that_the_maximum_throughput_is_looked_for():
    console = Console(file=io.StringIO(), force_terminal=True, width=100)
    with progress.shown(console) as lines:
        searching = Event("docker", 4, 1.0, events=9000, wall_s=1.0)
        searching.searched = 3
        for event in (Event("docker", 1, 0.5), searching):
            lines(event)
        (task,) = lines._progress.tasks
        assert task.completed == 1.0
        assert task.fields == {"doing": "maximum throughput, run 3", "speed": "9.00 k events/s"}


def test_no_progress_where_there_is_no_terminal_or_no_wish():
    console = Console(file=io.StringIO())
    with progress.shown(console) as lines:
        assert lines is None
    with progress.shown(Console(file=io.StringIO(), force_terminal=True), wanted=False) as lines:
        assert lines is None
    assert console.file.getvalue() == ""

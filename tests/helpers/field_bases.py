"""The scenarios that cases of fields and entries change."""

from __future__ import annotations

from typing import Any

from helpers.fields import patched

from simvirt import kernel

REQUESTS = 2000 if kernel.MODE == "compiled" else 600
JOB = {"cpu": {"exponential": "10ms"}}

BARE: dict[str, Any] = {
    "simvirt": 1,
    "name": "base",
    "host": {"cores": 1, "memory": "16GiB"},
    "platforms": ["bare-metal"],
    "services": {"server": {"threads": 1, "operations": {"job": [JOB]}}},
    "workload": {"open": {"rate": "60/s"}, "mix": {"server.job": 1}},
    "run": {"requests": REQUESTS, "replications": 1, "seed": 1, "warmup": "0s"},
}
"""An M/M/1 queue at 60 %."""
DOCKER = patched(BARE, {"platforms": ["docker"]})
KVM = patched(BARE, {"platforms": ["kvm"], "host/cores": 4, "services/server/image": "nginx"})
WIDE = patched(BARE, {"host/cores": 4, "services/server/threads": "unlimited"})
"""Four cores for a service whose requests all run at once."""
FENCED = patched(WIDE, {"platforms": ["docker"], "services/server/cpu_quota": "70ms", "services/server/cpu_period": "100ms"})
"""The same under a quota."""
CROWDED = patched(DOCKER, {
    "services/server": {"threads": 4, "operations": {"job": [{"cpu": {"exponential": "3ms"}}]}}, "services/hog": {"background": {"threads": 2}},
    "workload/open/rate": "60/s",
})
"""A container beside another that always wants the only core."""
TWO = patched(WIDE, {
    "services/server/operations/job": [{"cpu": "2ms"}, {"call": "db.query"}], "services/db": {"threads": 1, "operations": {"query": [{"cpu": {"exponential": "4ms"}}]}},
})
"""A service that calls another."""
REPLICATED = patched(BARE, {"host/cores": 4, "services/server/scale": 3, "workload/open/rate": "220/s"})
"""Three replicas behind a balancer."""
CLOSED = patched(WIDE, {"host/cores": 1, "workload": {"closed": {"clients": 4, "think": {"exponential": "20ms"}}, "mix": {"server.job": 1}}})
"""Clients that wait for answers."""
BACKGROUND = patched(BARE, {"host/cores": 4, "services/batch": {"background": {"threads": 1, "duty": 0.5, "period": "10ms"}}})
"""A service beside one that computes half of the time."""
EVENTFUL = patched(REPLICATED, {
    "workload/open/rate": "270/s", "timeline": [{"at": "1s", "crash": "server", "replica": 0, "restart": "500ms"}], "services/server/startup": [{"cpu": "200ms"}],
})
"""Three busy replicas, one of which crashes and comes back."""

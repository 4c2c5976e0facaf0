"""Messages between services, in documents: what became of those of each operation that subscribes to a topic."""

from __future__ import annotations

from pydantic import Field

from simvirt.result.document import UNKNOWN, Document, Estimate, Latency


class SubscriptionUse(Document):
    """The messages of a topic for one operation that subscribes to it, over the window."""

    latency_s: Latency = Field(description="from publishing to the end of what is done for a message, of those that were done")
    published_per_s: Estimate = Field(description="messages that came")
    consumed_per_s: Estimate = Field(description="messages that were done")
    wait_s: Estimate = Field(description="mean time in line, of all deliveries")
    waiting: Estimate = Field(description="messages in line on average")
    longest: Estimate = Field(description="most messages in line since the start of the run")
    utilisation: Estimate = Field(description="time that consumers worked, over what their concurrency allows")
    redelivered: Estimate = Field(default=UNKNOWN, description="messages that came back into the line, over those that came")
    dead_lettered: Estimate = Field(default=UNKNOWN, description="ratio of messages given up after `max_deliveries`")
    dropped: Estimate = Field(default=UNKNOWN, description="ratio of messages dropped for want of room")
    lost: Estimate = Field(default=UNKNOWN, description="ratio of messages lost with their consumers")
    repeated: Estimate = Field(default=UNKNOWN, description="messages done once more than needed, over those that came")

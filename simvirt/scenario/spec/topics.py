"""Topics: messages between services, which nobody waits for."""

from __future__ import annotations

from typing import Annotated, Literal, Mapping

from pydantic import BeforeValidator, Field, model_validator

from simvirt.scenario.fields import PositiveNanoseconds, Whole
from simvirt.scenario.spec.base import Spec, refuse
from simvirt.scenario.spec.steps import OperationName


class SubscriberSpec(Spec):
    """How the replicas of a service take the messages of a topic."""

    example = "{concurrency: 4, delivery: at-least-once}"
    concurrency: Annotated[int, Whole(1, 1_000_000, 4)] = Field(
        default=1, description="messages that a replica works on at once", examples=["4"])
    prefetch: Annotated[int, Whole(1, 10_000_000, 20)] | None = Field(
        default=None, examples=["20"],
        description="messages that a replica has in hand at most, those that it works on included; as many as these by default")
    delivery: Literal["at-least-once", "at-most-once"] = Field(
        default="at-least-once", examples=["at-most-once"],
        description="whether a message is kept until its consumer has done with it, or is lost where that fails or dies")
    visibility: PositiveNanoseconds | None = Field(
        default=None, examples=["30s"],
        description="time after which a message is delivered anew that is not acknowledged, as of SQS; by default as soon as its consumer "
        "fails, or is seen to die, as over a connection of AMQP")
    max_deliveries: Annotated[int, Whole(1, 1_000_000, 5)] = Field(
        default=20, examples=["5"], description="deliveries after which a message is a dead letter; the default is that of quorum queues")
    length: Annotated[int, Whole(1, 1_000_000_000, 1000)] | None = Field(
        default=None, description="messages that may wait; any number by default", examples=["1000"])
    full: Literal["block", "drop-newest", "drop-oldest"] = Field(
        default="block", examples=["drop-oldest"],
        description="what happens when as many wait: who publishes waits too, or a message is dropped")

    @model_validator(mode="after")
    def _keys_act(self) -> SubscriberSpec:
        if self.prefetch is not None and self.prefetch < self.concurrency:
            refuse(f"expected at least the {self.concurrency} messages that it works on at once", "prefetch")
        if self.delivery == "at-most-once":
            for key in ("visibility", "max_deliveries"):
                if key in self.model_fields_set:
                    refuse("has no effect on messages that are delivered once; expected delivery: at-least-once beside it", key)
        if self.length is None and "full" in self.model_fields_set:
            refuse("has no effect on a line without a bound; expected length: 1000 beside it", "full")
        return self

    @property
    def in_hand(self) -> int:
        """Messages that a replica has in hand at most."""
        return self.concurrency if self.prefetch is None else self.prefetch


def _subscribers(value: object) -> object:
    """The short form, a list of operations or one of them, as the long one."""
    value = [value] if isinstance(value, str) else value
    return {name: {} for name in value} if isinstance(value, (list, tuple)) and all(isinstance(name, str) for name in value) else value


class TopicSpec(Spec):
    """A topic: each message that is published to it goes to all that subscribe; with one of these it is a queue."""

    example = "{subscribers: {billing.charge: {concurrency: 4}, mail.send: {}}}"
    subscribers: Annotated[
        Mapping[OperationName, SubscriberSpec],
        BeforeValidator(_subscribers, json_schema_input_type=Mapping[str, SubscriberSpec] | list[str] | str),
    ] = Field(
        min_length=1, max_length=1000, description="the operations that are carried out for each message, as service.operation",
        examples=["{billing.charge: {concurrency: 4}}"])

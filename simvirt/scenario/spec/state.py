"""What is there when a run begins: images on the hosts or none, instances up or none."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from simvirt.scenario.spec.base import Spec


class StateSpec(Spec):
    """What is there at 0 s. Where it is stated at all, starts take the platform's phases: VMM, boot, runtime, application.

    Without it instances are up, and those that the timeline starts do the work of their `startup` only.
    """

    example = "{images: present, instances: none}"
    images: Literal["none", "present"] = Field(
        default="present", description="whether the images of all services are on the hosts, or have to be pulled", examples=["none"])
    instances: Literal["none", "up"] = Field(
        default="up", description="whether instances are up, or are started at 0 s, all at once", examples=["none"])

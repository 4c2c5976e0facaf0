"""How long until everything is ready, on each platform, from hosts with images and without, and what took it."""

from simvirt.deploy.answer import DeployResult
from simvirt.deploy.platforms import deploy
from simvirt.runs.callable_module import callable_as_its_function

__all__ = ["DeployResult", "deploy"]

callable_as_its_function(__name__)

"""The table of devices: paths of VMs to the network and to the disk."""

from collections.abc import Sequence

from simvirt.kernel import tables as t
from simvirt.lowering.arrange import Arrangement, Device, row_of
from simvirt.lowering.program import Writer
from simvirt.lowering.rows import Columns, blank, fill


def device_table(plan: Arrangement, writers: Sequence[Writer]) -> Columns:
    """Paths of VMs to the network and to the disk."""
    devices = plan.devices
    columns = blank(t.Devices, rows=max(len(devices), 1))
    if devices:
        fill(
            columns, backend=[row_of(d.backend) for d in devices],
            moderation=[round(d.entry.moderation or 0.0) if d.entry else 0 for d in devices],
            gathers=[int(d.entry is not None and (d.entry.role == "net" or d.entry.serial)) for d in devices],
            suppresses=[int(d.entry is None or d.entry.suppresses) for d in devices],
            receive=[_receive(plan, writers, device) for device in devices],
        )
    return columns


def _receive(plan: Arrangement, writers: Sequence[Writer], device: Device) -> int:
    """How long a guest polls for a packet [ns]."""
    if device.entry is None or device.entry.role != "net" or device.entry.side != "hypervisor":
        return 0
    return round(writers[plan.hosts[device.host].kind].paths.poll)

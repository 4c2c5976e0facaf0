"""Results as one HTML page that needs nothing else: no network, no other file."""

from simvirt.report.page.building import page as page

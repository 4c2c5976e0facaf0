"""Results as one HTML page that needs nothing else: no network, no other file."""

from simvirt.report.page.page import page as page

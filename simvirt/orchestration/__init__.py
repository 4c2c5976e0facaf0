"""What orchestrators decide, as plain functions of what they see: no clock, no state, no simulation.

Each module is one rule set to the letter of its documentation and code, so that it can be held against cases of others
(`simvirt validate FILE`), and the control plane asks it at its own instants.
"""

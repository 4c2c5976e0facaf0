"""What images consist of, what of them a host has, and which bytes move because of that: plain data and functions of it.

*Model*: an image is a chain of layers; a layer is what its digest names, whatever image it belongs to. A host keeps layers; a pull moves
    those that it lacks. A guest's disk image is one piece.
"""

"""What people have already becomes a scenario: Compose files. What such a file cannot say is assumed in the open.

compose.load(files) -> an Application     what the files say, by the rules of their specification
guesses.guessed(application) -> Guesses   demands by image, calls by addresses, entries by published ports
writing.text(application, guesses)        a commented scenario; each assumed number with its reason
"""

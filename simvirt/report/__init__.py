"""Report: a result's document as text, JSON, CSV and Markdown, and the progress of a run."""

"""From YAML files to a Scenario: marks, includes, overrides, and the CSV files that a scenario names."""

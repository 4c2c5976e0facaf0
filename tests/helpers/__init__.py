"""What several tests share: builders of scenarios and planes, worlds that have everything, bases of cases, comparisons."""

"""The pages of no module: home, theme, health, metrics."""

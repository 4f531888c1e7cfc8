"""Pictures of samples: histograms, scatters, grids."""

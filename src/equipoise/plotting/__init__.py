"""Images of samples: histograms, scatters, grids."""

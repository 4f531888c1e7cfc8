"""Between the data's space and the networks': a chain of dequantisation, scaling,
whitening by component and clusters."""

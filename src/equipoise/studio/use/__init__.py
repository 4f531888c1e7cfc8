"""Using a trained generator in the browser: samples, and files of them."""

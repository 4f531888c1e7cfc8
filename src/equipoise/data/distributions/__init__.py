"""Known distributions to train on and to judge against."""

"""Metrics of tables of mixed columns: column shapes, pair trends, trees that tell rows
apart or predict a column, distances to the training rows, and what is worst."""

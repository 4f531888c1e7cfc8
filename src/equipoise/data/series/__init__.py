"""Windows of series: several channels over steps of time, as arrays, lists of arrays
and tables with a column of ids."""

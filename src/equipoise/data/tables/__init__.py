"""Tables of mixed columns as matrices of numbers, and back.

A column becomes numbers and codes (`kinds/`). Whatever numbers come back become cells
that the column could have (`table.Table.decode`). What each column is, is recognised
(`recognition.recognise`), and the user can say otherwise (`overrides`, `column_file`).

raw          a matrix of finite numbers, (N, R): what networks learn, through transforms
number, code the two kinds of raw columns
state        which of these a cell is: a number, one of the categories, spikes and
             markers, a blank; its place among them is its code
spike        a value that is a point of its own, far from the others: 99999, infinity
marker       what stands where a value is missing: "?", -999
"""

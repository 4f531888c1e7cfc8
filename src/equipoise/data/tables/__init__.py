"""Tables of mixed columns as matrices of numbers, and back.

A column becomes numbers and codes (`kinds/`), whatever numbers come back become cells that
the column could have (`Table.decode`), and which column is what is recognised
(`recognise`), told, and set by the user.
"""

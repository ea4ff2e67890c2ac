"""The words of the trade, each declared once: columns, levels, tables, and the codes that the state gives."""

"""Where customers connect their software to an order: addresses, files for QGIS, instructions and a map preview."""

"""Takes every picture of docs/pictures anew from a running demonstration: `make pictures`."""

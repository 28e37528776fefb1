"""Any cloud that Apache Libcloud supports."""

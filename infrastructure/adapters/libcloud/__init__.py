"""Any cloud that Apache Libcloud speaks to."""

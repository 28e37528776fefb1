"""What is fetched from Zabbix beside the readings: problems, SLIs, missed history."""

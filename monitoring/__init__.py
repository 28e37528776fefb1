"""Whether services answer: monitors, history, incidents, maintenance, reports, status pages."""

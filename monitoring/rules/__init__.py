"""Pure arithmetic: availability, debouncing, incident triggers, status, SLA credit."""

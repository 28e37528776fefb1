"""Staff are alerted by mail and webhook to what needs attention."""

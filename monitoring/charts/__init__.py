"""Availability bars and response times as numbers for SVG."""

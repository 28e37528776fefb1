"""The records that the catalogue starts with: one for each table of the sample data."""

from __future__ import annotations

from xml.sax.saxutils import escape

TABLES = {
    "land": ("Land and islets", "The coast of Merholm and its three islets.", "coast, land"),
    "landuse": ("Land use", "Forest, heath, dunes, fields and orchards of Merholm.", "land use, forest, farming"),
    "contours": ("Contours", "Heights on Merholm, a line every ten metres.", "elevation, relief"),
    "water": (
        "Lakes and streams",
        "The two lakes of Merholm and the streams between them.",
        "hydrography, lakes, streams",
    ),
    "roads": ("Roads", "Main roads, local roads, streets, tracks and the ferry.", "transport, roads"),
    "parcels": ("Parcels", "Plots in the settlements, with their number and use.", "cadastre, parcels"),
    "buildings": ("Buildings", "Houses, shops and works, with their number of floors.", "buildings, cadastre"),
    "places": ("Places", "Names of settlements, and things worth going to.", "place names, tourism"),
}

RECORD = """<?xml version="1.0" encoding="UTF-8"?>
<csw:Record xmlns:csw="http://www.opengis.net/cat/csw/2.0.2" xmlns:dc="http://purl.org/dc/elements/1.1/"
    xmlns:dct="http://purl.org/dc/terms/" xmlns:ows="http://www.opengis.net/ows">
  <dc:identifier>{identifier}</dc:identifier>
  <dc:title>{title}</dc:title>
  <dc:type>dataset</dc:type>
  {subjects}
  <dct:references scheme="OGC:WMS">http://{domain}/wms</dct:references>
  <dct:references scheme="OGC:WFS">http://{domain}/wfs</dct:references>
  <dct:modified>2025-01-01</dct:modified>
  <dct:abstract>{abstract}</dct:abstract>
  <dc:language>en</dc:language>
  <ows:BoundingBox crs="urn:x-ogc:def:crs:EPSG:6.11:4326">
    <ows:LowerCorner>{south:.5f} {west:.5f}</ows:LowerCorner>
    <ows:UpperCorner>{north:.5f} {east:.5f}</ows:UpperCorner>
  </ows:BoundingBox>
</csw:Record>
"""


def write_record(table: str, *, domain: str, box: tuple[float, float, float, float]) -> str:
    """The record of one table as XML; `box` is west, south, east, north."""
    title, abstract, subjects = TABLES[table]
    west, south, east, north = box
    return RECORD.format(
        identifier=f"urn:sdi-lite:{table}",
        title=escape(title),
        abstract=escape(abstract),
        subjects="\n  ".join(f"<dc:subject>{escape(word)}</dc:subject>" for word in subjects.split(", ")),
        domain=escape(domain),
        west=west,
        south=south,
        east=east,
        north=north,
    )

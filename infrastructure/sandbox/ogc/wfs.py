"""WFS 2.0.0 and 1.1.0 over the places of the sandbox's map."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from django.http import HttpResponse
from django.template.loader import render_to_string

from core import clock
from infrastructure.sandbox.ogc.sample_map import BOUNDS, PLACES, Town
from infrastructure.sandbox.ogc.wms import ServiceError

TYPE = "sandbox:places"
JSON_FORMATS = ("application/json", "application/geo+json", "geojson", "json")


def version_of(asked: Mapping[str, str]) -> str:
    """2.0.0 unless an older one is asked for."""
    accepted = (asked.get("version") or asked.get("acceptversions") or "2.0.0").split(",")
    return "2.0.0" if any(version.strip() >= "2" for version in accepted) else "1.1.0"


def answer_wfs(asked: Mapping[str, str], *, address: str, title: str) -> HttpResponse:
    """The answer to a WFS request; `asked` has lower-case names."""
    version = version_of(asked)
    west, south, east, north = BOUNDS
    context: dict[str, object] = {
        "address": address,
        "title": title,
        "bounds": {"west": west, "south": south, "east": east, "north": north},
        "version": version,
    }
    try:
        match asked.get("request", "").lower():
            case "getcapabilities":
                return _xml(f"sandbox/wfs_{version.replace('.', '_')}.xml", context)
            case "describefeaturetype":
                _check_type(asked)
                return _xml("sandbox/wfs_schema.xml", context)
            case "getfeature":
                return _features(asked, context)
        raise ServiceError("The request is not supported.", code="OperationNotSupported", locator="request")
    except ServiceError as error:
        problem = {"message": str(error), "code": error.code, "locator": error.locator, "version": version}
        response = _xml("sandbox/wfs_exception.xml", problem)
        response.status_code = 400
        return response


def _xml(template: str, context: Mapping[str, object]) -> HttpResponse:
    return HttpResponse(render_to_string(template, dict(context)), content_type="text/xml; charset=utf-8")


def _check_type(asked: Mapping[str, str]) -> None:
    names = asked.get("typenames") or asked.get("typename") or ""
    if names and {name.rpartition(":")[2].strip("()") for name in names.split(",")} != {"places"}:
        raise ServiceError("There is no such feature type.", code="InvalidParameterValue", locator="typeNames")


def _features(asked: Mapping[str, str], context: dict[str, object]) -> HttpResponse:
    _check_type(asked)
    if not (asked.get("typenames") or asked.get("typename")):
        raise ServiceError("typeNames is missing.", code="MissingParameterValue", locator="typeNames")
    most = asked.get("count") or asked.get("maxfeatures") or ""
    if most and not (most.isascii() and most.isdigit()):
        raise ServiceError("count takes a number.", code="InvalidParameterValue", locator="count")
    places: Sequence[Town] = PLACES[: int(most[:9])] if most else PLACES
    is_count = asked.get("resulttype", "").lower() == "hits"
    if asked.get("outputformat", "").partition(";")[0].strip().lower() in JSON_FORMATS and not is_count:
        return HttpResponse(_geojson(places), content_type="application/geo+json")
    context |= {"places": [] if is_count else places, "matched": len(PLACES), "is_count": is_count, "at": clock.now()}
    return _xml("sandbox/wfs_features.xml", context)


def _geojson(places: Sequence[Town]) -> str:
    features = [
        {
            "type": "Feature",
            "id": f"places.{number}",
            "geometry": {"type": "Point", "coordinates": list(place.at)},
            "properties": {"name": place.name, "population": place.population},
        }
        for number, place in enumerate(places, 1)
    ]
    return json.dumps({"type": "FeatureCollection", "features": features})

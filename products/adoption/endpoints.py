"""Endpoints for an adopted composition, proposed from published ports and health checks. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from products.adoption.document import Notes, as_list, as_mapping

_URL = re.compile(r"https?://[^/\s:\"']+(?::(?P<port>\d+|\$\{?\w+\}?))?(?P<path>/[^\s\"'|;&)]*)?")
_PORT = re.compile(r"(?:.*:)?(?P<port>\d+)(?:-\d+)?(?:/(?P<protocol>tcp|udp))?")
_ROUTER_PORT = re.compile(r"traefik\.http\.services\..+\.loadbalancer\.server\.port")
_ROUTER_PATH = re.compile(r"PathPrefix\(\s*[`'\"](/[^`'\"]*)")
NOT_HTTP = {
    21: "FTP",
    22: "SSH",
    25: "SMTP",
    389: "LDAP",
    465: "SMTP",
    587: "SMTP",
    636: "LDAP",
    1433: "SQL Server",
    1521: "Oracle",
    1883: "MQTT",
    3306: "MySQL",
    5432: "PostgreSQL",
    5671: "AMQP",
    5672: "AMQP",
    6379: "Redis",
    9300: "Elasticsearch",
    11211: "memcached",
    27017: "MongoDB",
    443: "HTTPS",
    8443: "HTTPS",
}
# The request that shows that the server itself works, by what its image is called.
APPLICATIONS = (
    ("geonetwork", "GeoNetwork", "/geonetwork/", "/geonetwork/srv/eng/csw?service=CSW&request=GetCapabilities", "CSW"),
    ("geoserver", "GeoServer", "/geoserver/", "/geoserver/ows?service=WMS&request=GetCapabilities", "WMS_Capabilities"),
    ("pycsw", "pycsw", "/", "/?service=CSW&version=2.0.2&request=GetCapabilities", "Capabilities"),
    ("pygeoapi", "pygeoapi", "/", "/conformance?f=json", "conformsTo"),
    ("mapserver", "MapServer", "/", "/?service=WMS&request=GetCapabilities", "Capabilities"),
)


def propose_endpoints(services: dict[str, dict[str, Any]], notes: Notes) -> list[dict[str, Any]]:
    """One endpoint for each HTTP port that the composition publishes; at least one, to be completed by hand."""
    endpoints: list[dict[str, Any]] = []
    for service, settings in services.items():
        for port in _published_ports(service, settings, notes):
            endpoints.append(_endpoint(service, settings, port, notes))
    if not endpoints:
        endpoints = [_guess(services, notes)]
    names = [endpoint["name"] for endpoint in endpoints]
    for endpoint in endpoints:
        if names.count(endpoint["name"]) > 1:
            endpoint["name"] = f"{endpoint['name']}-{endpoint['port']}"
    return list({endpoint["name"]: endpoint for endpoint in endpoints}.values())


def container_ports(settings: dict[str, Any]) -> list[int]:
    """The ports inside the container that `ports` publishes."""
    return [port for port, protocol in _ports(settings) if protocol != "udp"]


def _published_ports(service: str, settings: dict[str, Any], notes: Notes) -> Iterator[int]:
    ports = [*dict.fromkeys(container_ports(settings)), *_router_ports(settings)]
    for port in ports:
        if port not in NOT_HTTP:
            yield port
        elif NOT_HTTP[port] == "HTTPS" and len(ports) == 1:
            notes.task(f"{service}: port {port} speaks HTTPS; checks use HTTP: let the service answer HTTP too.")
        elif NOT_HTTP[port] != "HTTPS":
            notes.change(f"{service}: port {port} ({NOT_HTTP[port]}) is not published; only HTTP endpoints are.")


def _ports(settings: dict[str, Any]) -> Iterator[tuple[int, str]]:
    for item in as_list(settings.get("ports")):
        if isinstance(item, dict):
            target, protocol = str(item.get("target", "")), str(item.get("protocol", "tcp"))
        else:
            found = _PORT.fullmatch(re.sub(r"\$\{[^}]*?(\d*)\}", r"\1", str(item)))
            target, protocol = (found["port"], found["protocol"] or "tcp") if found else ("", "")
        if target.isdigit():
            yield int(target), protocol


def _router_ports(settings: dict[str, Any]) -> list[int]:
    labels = as_mapping(settings.get("labels"))
    return [int(value) for name, value in labels.items() if _ROUTER_PORT.fullmatch(name) and str(value).isdigit()]


def _endpoint(service: str, settings: dict[str, Any], port: int, notes: Notes) -> dict[str, Any]:
    name = re.sub(r"[^a-z0-9]+", "-", service.lower()).strip("-")[:40]
    endpoint = {"name": name, "application": service, "service": service, "port": port}
    image = str(settings.get("image") or "").rpartition("/")[2].lower() or service.lower()
    for key, title, path, check, contains in APPLICATIONS:
        if key in image and "postgis" not in image:
            return {**endpoint, "application": title, "path": path, "check": {"path": check, "contains": contains}}
    check_path = _health_path(settings, port)
    if check_path is None:
        notes.task(f"product.yaml: let the check of the endpoint “{name}” ask for something that proves it works.")
    prefix = _router_prefix(settings) or "/"
    return {**endpoint, "path": prefix, "check": {"path": check_path or prefix}}


def _health_path(settings: dict[str, Any], port: int) -> str | None:
    """The path that the service's own health check asks for."""
    test = (settings.get("healthcheck") or {}).get("test")
    for found in _URL.finditer(" ".join(map(str, as_list(test)))):
        if (found["port"] or "80") == str(port) and "$" not in (found["path"] or ""):
            return found["path"] or "/"
    return None


def _router_prefix(settings: dict[str, Any]) -> str:
    for name, value in as_mapping(settings.get("labels")).items():
        found = _ROUTER_PATH.search(str(value)) if name.endswith(".rule") else None
        if found:
            return found[1]
    return ""


def _guess(services: dict[str, dict[str, Any]], notes: Notes) -> dict[str, Any]:
    """The endpoint of a composition that publishes nothing: the first service whose health check asks by HTTP."""
    for service, settings in services.items():
        test = (settings.get("healthcheck") or {}).get("test")
        found = _URL.search(" ".join(map(str, as_list(test))))
        if found and (found["port"] or "80").isdigit():
            notes.task(f"product.yaml: no port was published; “{service}” is proposed as the endpoint.")
            return _endpoint(service, settings, int(found["port"] or 80), notes)
    service = next(iter(services))
    notes.task("product.yaml: no port was published; name the service and port where people reach the product.")
    return _endpoint(service, services[service], 80, notes)

"""A Zabbix in a dict, behind `responses`: enough of its API to hold the adapter to what a real one would do."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from itertools import count
from typing import Any

import requests
import responses

URL = "https://zabbix.example/zabbix"
API = f"{URL}/api_jsonrpc.php"
IDS = {
    "hostgroup": "groupid",
    "host": "hostid",
    "httptest": "httptestid",
    "trigger": "triggerid",
    "service": "serviceid",
    "sla": "slaid",
    "item": "itemid",
    "template": "templateid",
    "hostinterface": "interfaceid",
    "maintenance": "maintenanceid",
}
UNIQUE = {"host": ("host", "name"), "hostgroup": ("name",), "sla": ("name",), "maintenance": ("name",)}
NOW = 1_780_000_000

Row = dict[str, Any]
Answer = tuple[int, Mapping[str, str], str]


class ApiError(Exception):
    """What the API answers instead of a result."""

    def __init__(self, message: str, *, code: int = -32602) -> None:
        super().__init__(message)
        self.message, self.code = message, code


class FakeZabbix:
    """Look into `tables` and `calls` afterwards; set `refuse` and `down` before."""

    def __init__(self, version: str = "7.0.22") -> None:
        self.version = version
        self.tables: dict[str, dict[str, Row]] = {kind: {} for kind in IDS}
        self.calls: list[str] = []
        self.asked: list[tuple[str, Any]] = []
        self.headers: list[Mapping[str, str]] = []
        self.bodies: list[Row] = []
        self.refuse: dict[str, Callable[[Any], str]] = {}
        """By method: given one object, why it is refused, or nothing."""
        self.down: dict[tuple[str, str], str] = {}
        """(host, scenario) pairs that fail, and what is said of them."""
        self.canned: dict[str, Callable[[Any], Any]] = {}
        """By method: given what was asked, the result; for what is only ever read."""
        self._ids = count(1)

    def answer(self, request: requests.PreparedRequest) -> Answer:
        """What `responses` should give."""
        body = json.loads(request.body or "{}")
        method, params = body["method"], body["params"]
        self.calls.append(method)
        self.asked.append((method, params))
        self.headers.append(dict(request.headers))
        self.bodies.append(body)
        try:
            reply: Row = {"result": self._result(method, params)}
        except ApiError as error:
            reply = {"error": {"code": error.code, "message": "Invalid params.", "data": error.message}}
        return 200, {}, json.dumps({"jsonrpc": "2.0", "id": body["id"], **reply})

    def row(self, kind: str, **wanted: str) -> Row:
        """The only row of a kind with these properties."""
        (found,) = [row for row in self.tables[kind].values() if all(row[name] == wanted[name] for name in wanted)]
        return found

    def _result(self, method: str, params: Any) -> Any:
        if method == "apiinfo.version":
            return self.version
        if method == "user.login":
            return "a-session"
        kind, verb = method.split(".")
        if method in self.canned:
            return self.canned[method](params)
        if method == "item.get" and params.get("webitems"):
            return self._items(params)
        if verb == "get":
            return self._get(kind, params)
        for param in params:
            if texts := self.refuse.get(method, lambda _: "")(param):
                raise ApiError(texts)
        return {f"{IDS[kind]}s": getattr(self, f"_{verb}")(kind, params)}

    def _get(self, kind: str, params: Row) -> Any:
        rows = [row for row in self.tables[kind].values() if self._fits(kind, row, params)]
        if params.get("countOutput"):
            return str(len(rows))
        return [self._shown(kind, row) for row in rows]

    def _fits(self, kind: str, row: Row, params: Row) -> bool:
        asked = {(tag["tag"], tag["value"]) if "value" in tag else ("", tag["tag"]) for tag in params.get("tags", ())}
        has = {(tag["tag"], tag["value"]) for tag in row.get("tags", ())}
        return (
            all(row.get(name, values) in values for name, values in params.get("filter", {}).items())
            and all(any(text in row[name] for text in texts) for name, texts in params.get("search", {}).items())
            and (not asked or bool(asked & has) or any(("", tag) in asked for tag, _ in has))
            and ("hostids" not in params or bool(self._hosts_of(kind, row) & set(params["hostids"])))
        )

    def _hosts_of(self, kind: str, row: Row) -> set[str]:
        return {host["hostid"] for host in row["hosts"]} if kind == "maintenance" else {self._host_of(kind, row)}

    def _host_of(self, kind: str, row: Row) -> str:
        if kind == "trigger":
            name = row["expression"].split("/")[1]
            return next((host["hostid"] for host in self.tables["host"].values() if host["host"] == name), "")
        return str(row.get("hostid", ""))

    def _shown(self, kind: str, row: Row) -> Row:
        if kind == "host":
            groups = [self.tables["hostgroup"][group["groupid"]] for group in row["groups"]]
            linked = [self.tables["template"][table["templateid"]] for table in row.get("templates", ())]
            interfaces = [table for table in self.tables["hostinterface"].values() if table["hostid"] == row["hostid"]]
            shown = {"interfaces": interfaces, "parentTemplates": linked}
            return {**row, **shown, "hostgroups" if self.version >= "6.2" else "groups": groups}
        if kind == "maintenance":
            return {**row, "hosts": [{**host, "name": "shown too"} for host in row["hosts"]]}
        if kind == "trigger":
            return {**row, "hosts": [{"hostid": self._host_of(kind, row)}]}
        return row

    def _create(self, kind: str, params: list[Row]) -> list[str]:
        for param in params:
            self._must_be_new(kind, param)
        return [self._add(kind, param) for param in params]

    def _must_be_new(self, kind: str, wanted: Row) -> None:
        for name in UNIQUE.get(kind, ()):
            if any(row[name] == wanted[name] for row in self.tables[kind].values()):
                raise ApiError(f'{kind.capitalize()} with the same name "{wanted[name]}" already exists.')

    def _add(self, kind: str, wanted: Row) -> str:
        number = str(next(self._ids))
        row = {"tags": [], **wanted, IDS[kind]: number}
        if kind == "host":
            self._face(number, row.pop("interfaces", []))
            row["macros"] = [{"hostmacroid": str(next(self._ids)), **macro} for macro in wanted.get("macros", ())]
        if kind == "httptest":
            row["steps"] = [{"httpstepid": str(next(self._ids)), **step} for step in wanted["steps"]]
        self.tables[kind][number] = row
        return number

    def _update(self, kind: str, params: list[Row]) -> list[str]:
        for param in params:
            self._must_be(kind, param[IDS[kind]])
            row = self.tables[kind][param[IDS[kind]]]
            row.update({name: value for name, value in param.items() if name not in ("interfaces", "templates_clear")})
            if "interfaces" in param:
                self._face(param["hostid"], param["interfaces"])
            gone = {clear["templateid"] for clear in param.get("templates_clear", ())}
            if gone:
                row["templates"] = [linked for linked in row["templates"] if linked["templateid"] not in gone]
        return [param[IDS[kind]] for param in params]

    def _face(self, hostid: str, interfaces: list[Row]) -> None:
        """The host has exactly these interfaces; those with an id are kept."""
        mains = [interface["main"] for interface in interfaces if interface["type"] == "1"]
        if mains and mains.count("1") != 1:
            raise ApiError("Host must have one default interface of each type.")
        self._sweep("hostinterface", lambda interface: interface["hostid"] == hostid)
        for interface in interfaces:
            number = interface.get("interfaceid") or str(next(self._ids))
            self.tables["hostinterface"][number] = {**interface, "hostid": hostid, "interfaceid": number}

    def _delete(self, kind: str, params: list[str]) -> list[str]:
        for param in params:
            self._must_be(kind, param)
        self._must_not_empty_a_window(kind, params)
        for param in params:
            row = self.tables[kind].pop(param)
            if kind == "item":
                self._sweep("item", lambda item, master=param: item.get("master_itemid") == master)
            if kind == "host":
                self._sweep("hostinterface", lambda face, host=param: face["hostid"] == host)
                self._sweep("item", lambda item, host=param: item["hostid"] == host)
                self._sweep("httptest", lambda test, host=param: test["hostid"] == host)
                self._sweep("trigger", lambda trigger, name=row["host"]: f"/{name}/" in trigger["expression"])
            if kind == "httptest":
                self._sweep("trigger", lambda trigger, name=row["name"]: f"[{name}]" in trigger["expression"])
        return params

    def _must_not_empty_a_window(self, kind: str, going: list[str]) -> None:
        for window in self.tables["maintenance"].values() if kind == "host" else ():
            hosts = self._hosts_of("maintenance", window)
            if hosts & set(going) and hosts <= set(going):
                name = self.tables["host"][min(hosts)]["host"]
                raise ApiError(
                    f'Cannot delete host "{name}" because maintenance "{window["name"]}" must contain at least one '
                    "host or host group."
                )
            window["hosts"] = [host for host in window["hosts"] if host["hostid"] not in going]

    def _sweep(self, kind: str, goes: Callable[[Row], bool]) -> None:
        self.tables[kind] = {number: row for number, row in self.tables[kind].items() if not goes(row)}

    def _must_be(self, kind: str, number: str) -> None:
        if number not in self.tables[kind]:
            raise ApiError("No permissions to referred object or it does not exist!", code=-32500)

    def _items(self, params: Row) -> list[Row]:
        beginnings = tuple(params["search"]["key_"])
        tests = [test for test in self.tables["httptest"].values() if test["hostid"] in params["hostids"]]
        return [item for test in tests for item in self._items_of(test) if item["key_"].startswith(beginnings)]

    def _items_of(self, test: Row) -> list[Row]:
        name, step = test["name"], test["steps"][0]["name"]
        why = self.down.get((self.tables["host"][test["hostid"]]["host"], name))
        values = {
            f"web.test.fail[{name}]": "1" if why else "0",
            f"web.test.error[{name}]": why or "",
            f"web.test.time[{name},{step},resp]": "0.0421",
        }
        return [
            {
                "hostid": test["hostid"],
                "key_": key,
                "lastvalue": value,
                "lastclock": str(NOW),
                "state": "0",
                "error": "",
            }
            for key, value in values.items()
        ]


def serve(mock: responses.RequestsMock, zabbix: FakeZabbix) -> FakeZabbix:
    """From now on `URL` is this Zabbix."""
    mock.add_callback(responses.POST, API, callback=zabbix.answer)
    return zabbix

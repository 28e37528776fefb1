"""Fills the catalogue on its first start, then serves it."""

from __future__ import annotations

import os
import tempfile
import warnings
from pathlib import Path

import psycopg2
import waitress
from pycsw import wsgi
from pycsw.core import admin, config
from records import TABLES, write_record

DATABASE = "postgresql://sdi@database/sdi"
FILLED = "Filled with the records of the sample data."


def find_box(cursor, table: str) -> tuple[float, float, float, float] | None:
    """West, south, east and north of a table, or None when it has no rows."""
    cursor.execute(
        f"SELECT ST_XMin(e), ST_YMin(e), ST_XMax(e), ST_YMax(e) FROM (SELECT ST_Extent(ST_Transform(geom, 4326)) AS e FROM {table}) AS s WHERE e IS NOT NULL"  # noqa: E501, S608
    )
    return cursor.fetchone()


def load_sample(cursor) -> None:
    """The catalogue describes each table of the sample data that is still there."""
    with tempfile.TemporaryDirectory() as folder:
        for table in TABLES:
            cursor.execute("SELECT to_regclass(%s)", [table])
            if cursor.fetchone()[0] and (box := find_box(cursor, table)):
                Path(folder, f"{table}.xml").write_text(
                    write_record(table, domain=os.environ.get("LIVE_DOMAIN", "localhost"), box=box)
                )
        admin.load_records(config.StaticContext(), DATABASE, "records", folder)


def fill_once(connection) -> None:
    """The records table exists and is filled; one left half made by a crash is made anew."""
    cursor = connection.cursor()
    cursor.execute("SELECT obj_description(to_regclass('records'))")
    if cursor.fetchone()[0] == FILLED:
        return
    cursor.execute("DROP TABLE IF EXISTS records CASCADE")
    admin.setup_db(DATABASE, "records", "/opt/pycsw", create_sfsql_tables=False, create_plpythonu_functions=False)
    load_sample(cursor)
    cursor.execute("COMMENT ON TABLE records IS %s", [FILLED])


if __name__ == "__main__":
    os.environ["PGPASSWORD"] = os.environ["DATABASE_PASSWORD"]
    # SQLAlchemy does not know PostGIS columns; pycsw does not need it to.
    warnings.filterwarnings("ignore", message="Did not recognize type")
    connection = psycopg2.connect(DATABASE, connect_timeout=10)
    connection.autocommit = True
    fill_once(connection)
    connection.close()
    # pycsw prints every path it is asked for, the health check's too.
    wsgi.print = lambda *_: None
    # Only the gateway can reach this port, and pycsw asks it who is calling.
    waitress.serve(
        wsgi.application,
        listen="*:8000",
        threads=4,
        ident=None,
        trusted_proxy="*",
        trusted_proxy_headers="x-forwarded-for",
    )

"""The portal's drawings: one path each, strokes on a 24 by 24 grid."""

from __future__ import annotations

ICONS = {
    "arrow": "M5 12h14M13 6l6 6-6 6",
    "back": "M19 12H5M11 6l-6 6 6 6",
    "bill": "M6 3h12v18l-3-2-3 2-3-2-3 2zM9 8h6M9 12h6",
    "check": "M5 12.5l4.5 4.5L19 7.5",
    "clock": "M12 3a9 9 0 1 0 0 18a9 9 0 0 0 0-18M12 7.5V12l3 2",
    "copy": "M9 9h10v11H9zM5 15V4h10",
    "cross": "M6 6l12 12M18 6L6 18",
    "database": "M4 6c0-4 16-4 16 0v12c0 4-16 4-16 0zM4 6c0 4 16 4 16 0M4 12c0 4 16 4 16 0",
    "download": "M12 4v11M7 10.5l5 5 5-5M5 20h14",
    "globe": "M12 3a9 9 0 1 0 0 18a9 9 0 0 0 0-18M3 12h18M12 3c-5 5-5 13 0 18M12 3c5 5 5 13 0 18",
    "key": "M8 11a4.5 4.5 0 1 0 0 9a4.5 4.5 0 0 0 0-9M11.2 12.3L19.5 4M15.5 8l3 3",
    "layers": "M12 4l9 5-9 5-9-5zM3 13.5l9 5 9-5",
    "lock": "M6 11h12v9H6zM8.5 11V8a3.5 3.5 0 0 1 7 0v3",
    "mail": "M3 6h18v12H3zM3 7l9 7 9-7",
    "map": "M3 6l6-2 6 2 6-2v14l-6 2-6-2-6 2zM9 4v14M15 6v14",
    "pause": "M9 6v12M15 6v12",
    "person": "M12 4a4 4 0 1 0 0 8a4 4 0 0 0 0-8M4.5 20c1-8 14-8 15 0",
    "plus": "M12 5v14M5 12h14",
    "search": "M11 4a7 7 0 1 0 0 14a7 7 0 0 0 0-14M16 16l4.5 4.5",
    "server": "M4 5h16v6H4zM4 13h16v6H4zM7.5 8v0M7.5 16v0",
    "warning": "M12 4l9.5 16h-19zM12 10v4.5M12 17.4v.1",
}

"""The site's files are closed to the other users of the machine."""

from __future__ import annotations

from pathlib import Path

from live.disk.var_folder import close_folder


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_folder_and_its_content_are_readable_by_this_user_only(tmp_path: Path) -> None:
    folder = tmp_path / "var"
    (folder / "mail").mkdir(parents=True, mode=0o755)
    (folder / "live.sqlite3").write_bytes(b"")
    (folder / "live.sqlite3").chmod(0o644)
    (tmp_path / "elsewhere").write_text("")
    (tmp_path / "elsewhere").chmod(0o644)
    (folder / "link").symlink_to(tmp_path / "elsewhere")
    close_folder(folder)
    assert [mode(path) for path in (folder, folder / "mail", folder / "live.sqlite3")] == [0o700, 0o700, 0o600]
    assert mode(tmp_path / "elsewhere") == 0o644


def test_folder_that_is_missing_is_made_closed(tmp_path: Path) -> None:
    close_folder(tmp_path / "new" / "var")
    assert mode(tmp_path / "new" / "var") == 0o700


def test_services_of_the_lab_pass_through_and_see_nothing(tmp_path: Path) -> None:
    (tmp_path / "lab").mkdir(mode=0o755)
    (tmp_path / "files").mkdir(mode=0o755)
    close_folder(tmp_path)
    assert [mode(path) for path in (tmp_path, tmp_path / "lab", tmp_path / "files")] == [0o711, 0o755, 0o700]

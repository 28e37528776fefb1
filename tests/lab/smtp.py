"""A mail server that takes whatever it is given, and shows it to the test."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from socketserver import StreamRequestHandler, ThreadingTCPServer
from threading import Thread

from django.conf import LazySettings


class Sink(StreamRequestHandler):
    """As much of RFC 5321 as a client without wishes needs."""

    letters: list[EmailMessage]

    def handle(self) -> None:
        """One conversation, from greeting to goodbye."""
        self._say("220 sink")
        for line in self.rfile:
            match line.strip().upper()[:4]:
                case b"DATA":
                    self._say("354 go on")
                    self._take()
                case b"QUIT":
                    self._say("221 bye")
                    return
                case _:
                    self._say("250 so be it")

    def _take(self) -> None:
        lines: list[bytes] = []
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            lines.append(line.removeprefix(b"."))
        letter = message_from_bytes(b"".join(lines), policy=policy.default)
        assert isinstance(letter, EmailMessage)
        self.letters.append(letter)
        self._say("250 taken")

    def _say(self, message: str) -> None:
        self.wfile.write(f"{message}\r\n".encode())


@contextmanager
def taking_mail(settings: LazySettings) -> Iterator[list[EmailMessage]]:
    """Mail leaves for a server of the test's own; the letters that it took."""
    taken: list[EmailMessage] = []
    handler = type("Sink", (Sink,), {"letters": taken})
    with ThreadingTCPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = server.server_address
        settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
        settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        yield taken
        server.shutdown()

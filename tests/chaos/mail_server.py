"""A mail server that can be cut off, made slow, or lose its answers; it notes each letter by its Message-ID."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from email import message_from_bytes
from socketserver import StreamRequestHandler, ThreadingTCPServer
from threading import Lock, Thread

SLOW = 1.5  # seconds for each letter


class MailServer:
    """How it behaves now, and what it has accepted so far."""

    def __init__(self) -> None:
        self.is_down = self.is_slow = False
        self.answers_to_lose = 0
        self.lost_answers = 0
        self.port = 0
        self.letters = Counter[str]()
        self._lock = Lock()

    def accept(self, letter: bytes) -> bool:
        """The letter is delivered; False when the sender does not hear of it."""
        if self.is_slow:
            time.sleep(SLOW)
        message_id = str(message_from_bytes(letter)["Message-ID"]).strip()
        with self._lock:
            self.letters[message_id] += 1
            if not self.answers_to_lose:
                return True
            self.answers_to_lose -= 1
            self.lost_answers += 1
            return False


class Conversation(StreamRequestHandler):
    """As much of RFC 5321 as sending takes."""

    server: Listener

    def handle(self) -> None:
        """From greeting to goodbye, or to where the connection breaks."""
        with suppress(ConnectionError):
            self._answer("220 chaos")
            for line in self.rfile:
                if self.server.mail.is_down:
                    return
                command = line.strip().upper()[:4]
                if command == b"DATA":
                    self._answer("354 go on")
                    if not self.server.mail.accept(self._letter()):
                        return
                self._answer("221 bye" if command == b"QUIT" else "250 ok")
                if command == b"QUIT":
                    return

    def _letter(self) -> bytes:
        lines = list[bytes]()
        for line in self.rfile:
            if line == b".\r\n":
                return b"".join(lines)
            lines.append(line.removeprefix(b"."))
        raise ConnectionResetError("the sender went away in the middle of a letter")

    def _answer(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())


class Listener(ThreadingTCPServer):
    """Takes connections, unless the mail server is down."""

    daemon_threads = True
    mail: MailServer

    def verify_request(self, request: object, client_address: object) -> bool:
        """A server that is down hangs up at once."""
        return not self.mail.is_down


@contextmanager
def mail_server() -> Iterator[MailServer]:
    """A mail server of the test's own, up and quick at first."""
    mail = MailServer()
    with Listener(("127.0.0.1", 0), Conversation) as listener:
        listener.mail, mail.port = mail, listener.server_address[1]
        Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        yield mail
        listener.shutdown()

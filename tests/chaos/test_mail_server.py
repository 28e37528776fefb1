"""The mail server of the chaos runs takes letters, and misbehaves as it is told to."""

from __future__ import annotations

import smtplib
import time

import pytest

from tests.chaos import mail_server as double
from tests.chaos.mail_server import MailServer, mail_server

pytestmark = pytest.mark.usefixtures("socket_enabled")
LETTER = "Message-ID: <a.letter@example.org>\r\nSubject: News\r\n\r\n.. and a dot\r\n"


def send(mail: MailServer) -> None:
    with smtplib.SMTP("127.0.0.1", mail.port, timeout=5) as client:
        client.sendmail("live@example.org", ["gis@example.org"], LETTER)


def test_letters_are_counted_by_their_message_id() -> None:
    with mail_server() as mail:
        send(mail)
        send(mail)
        assert mail.letters == {"<a.letter@example.org>": 2}


def test_a_server_that_is_down_takes_nothing() -> None:
    with mail_server() as mail:
        mail.is_down = True
        with pytest.raises((smtplib.SMTPException, OSError)):
            send(mail)
        assert not mail.letters


def test_an_answer_is_lost_once_and_the_letter_has_arrived() -> None:
    with mail_server() as mail:
        mail.answers_to_lose = 1
        with pytest.raises((smtplib.SMTPException, OSError)):
            send(mail)
        send(mail)
        assert mail.letters.total() == 2
        assert mail.lost_answers == 1


def test_a_slow_server_takes_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(double, "SLOW", 0.2)
    with mail_server() as mail:
        mail.is_slow = True
        begun = time.monotonic()
        send(mail)
        assert time.monotonic() - begun > 0.2

"""GitLab's webhook of a config-repo: a push or a tag requests a sync of what has changed."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext as _
from rest_framework import exceptions, status
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.api.pushes import PushThrottle, TooLarge
from core.text.plain_text import read_json
from products.models import ConfigRepo
from products.services import request_catalogue_sync

LONGEST = 1024 * 1024
EVENTS = {"Push Hook": "refs/heads/", "Tag Push Hook": "refs/tags/"}


class MissingToken(exceptions.APIException):
    """The request does not say who sends it."""

    status_code = status.HTTP_401_UNAUTHORIZED
    default_code = "missing_token"


class WrongToken(exceptions.APIException):
    """Whoever sends it does not know the secret."""

    status_code = status.HTTP_403_FORBIDDEN
    default_code = "wrong_token"


class GitLabHook(APIView):
    """A push only makes the sync due: nothing else of it is believed, so that a replay does no harm."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    throttle_classes = (PushThrottle,)
    schema = None

    def post(self, request: Request, uuid: UUID) -> Response:
        """202, whether a sync is due or the event is of no interest; 401 or 403 for a missing or wrong token."""
        repo = ConfigRepo.objects.enabled().filter(uuid=uuid).first()
        if repo is None:
            raise exceptions.NotFound(_("No enabled config-repo has this webhook address."))
        _check_token(repo, request.headers.get("X-Gitlab-Token", ""))
        body = request._request.read(LONGEST + 1)
        if len(body) > LONGEST:
            raise TooLarge(_("A webhook has %(bytes)d bytes at most.") % {"bytes": LONGEST})
        event = request.headers.get("X-Gitlab-Event", "")
        if event not in EVENTS:
            return _accepted(_("Ignored: only push and tag push events start a sync."))
        if not _is_followed(repo, event, _content(body)):
            return _accepted(_("Ignored: this branch is not the one that is synced."))
        request_catalogue_sync(repo=repo, is_full=False, source=f"GitLab: {event}")
        return _accepted(_("Sync requested."))


def _check_token(repo: ConfigRepo, given: str) -> None:
    if not repo.webhook_secret:
        raise WrongToken(_("This config-repo has no webhook secret: set one in the admin."))
    if not given:
        raise MissingToken(_("The header X-Gitlab-Token is missing: enter the secret token in GitLab's webhook."))
    if not constant_time_compare(given, repo.webhook_secret):
        raise WrongToken(_("The secret token is wrong: it differs from this config-repo's."))


def _content(body: bytes) -> dict[str, Any]:
    try:
        content = read_json(body)
    except ValueError:
        raise exceptions.ParseError(_("The body is not JSON.")) from None
    if not isinstance(content, dict) or not isinstance(content.get("ref"), str):
        raise exceptions.ParseError(_("The body is not a push of GitLab: it has no “ref”."))
    return content


def _is_followed(repo: ConfigRepo, event: str, content: dict[str, Any]) -> bool:
    """True of a tag, and of the branch that is synced."""
    kind, ref = EVENTS[event], content["ref"]
    if event == "Tag Push Hook":
        return bool(ref.startswith(kind))
    project = content.get("project")
    default = project.get("default_branch") if isinstance(project, dict) else ""
    return bool(ref == f"{kind}{repo.branch or default}")


def _accepted(detail: str) -> Response:
    return Response({"detail": detail}, status=status.HTTP_202_ACCEPTED)

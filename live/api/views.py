"""What belongs to no room: the words of the problems, and the answer to unknown addresses."""

from __future__ import annotations

from django.http import Http404, HttpRequest, JsonResponse
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from live.api.problem_types import title_of


def problem_type(request: HttpRequest, code: str) -> JsonResponse:
    """What a problem's `type` points to: its code in words."""
    title = title_of(code)
    if title is None:
        raise Http404
    return JsonResponse({"code": code, "title": title})


@extend_schema(exclude=True)
class UnknownAddress(APIView):
    """Every address under `/api/` that is nothing else."""

    def initial(self, request: Request, *args: object, **kwargs: object) -> None:
        """The caller is known first: who is not signed in learns nothing of the addresses."""
        super().initial(request, *args, **kwargs)
        raise NotFound(_("No such URL. Note that every URL ends with a slash."))

    def get(self, request: Request, rest: str) -> Response:
        """Never reached."""
        raise NotFound

"""Files with which programs connect to an order, and the preview of its map."""

from __future__ import annotations

import logging
import math

from django import forms
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from core.errors import OutsideError
from live.portal.access import visible_order
from live.portal.connect.capabilities import Box, fitted
from live.portal.connect.qgis_files import connection_file
from live.portal.connect.service_kinds import ServiceKind
from live.portal.connect.services import draw_map, endpoint_of, is_layer_of, layers_of, map_endpoint
from orders.choices import Wanted
from orders.models import Order

logger = logging.getLogger(__name__)

WIDTH, HEIGHT = 720, 400
LARGEST_SIDE = 1024


class PictureForm(forms.Form):
    """Which part of the map is asked for; `box` is its extent in EPSG:3857."""

    layer = forms.CharField(max_length=300)
    box = forms.CharField(max_length=200)
    width = forms.IntegerField(min_value=16, max_value=LARGEST_SIDE)
    height = forms.IntegerField(min_value=16, max_value=LARGEST_SIDE)

    def clean_box(self) -> Box:
        """Four numbers: left, bottom, right, top."""
        try:
            edges = [float(text) for text in self.cleaned_data["box"].split(",")]
        except ValueError as error:
            raise forms.ValidationError("Not four numbers") from error
        if len(edges) != 4 or not all(map(math.isfinite, edges)) or edges[0] >= edges[2] or edges[1] >= edges[3]:
            raise forms.ValidationError("Not a box")
        left, bottom, right, top = edges
        return left, bottom, right, top


@login_required
@require_safe
def qgis_file(request: HttpRequest, reference: str, endpoint: str) -> HttpResponse:
    """The connection to one endpoint as a file that QGIS imports."""
    order = running_order(request, reference)
    row, kind = endpoint_of(order, endpoint)
    if not kind.has_qgis_file:
        raise Http404
    content = connection_file(kind, name=f"{order.name} · {row.application}", url=row.url)
    file_name = f"{order.reference.lower()}-{row.name}.xml"
    return HttpResponse(
        content,
        content_type="application/xml; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{file_name}"'},
    )


@login_required
@require_safe
@cache_control(private=True, no_store=True)
def map_preview(request: HttpRequest, reference: str) -> HttpResponse:
    """The order's map, to look at in the page of the order; what is missing is explained."""
    order = running_order(request, reference)
    endpoint = map_endpoint(order)
    if endpoint is None:
        raise Http404
    try:
        layers = layers_of(endpoint)
    except OutsideError as error:
        logger.info("No map preview of order %s: %s", order.reference, error)
        layers = []
    boxes = [(layer, _edges(fitted(layer.box, width=WIDTH, height=HEIGHT))) for layer in layers]
    context = {
        "order": order,
        "boxes": boxes,
        "source": reverse("portal:map_picture", args=(order.reference, endpoint.name)),
        "width": WIDTH,
        "height": HEIGHT,
    }
    return render(request, "portal/connect/_map.html", context)


@login_required
@require_safe
@cache_control(private=True, max_age=120)
def map_picture(request: HttpRequest, reference: str, endpoint: str) -> HttpResponse:
    """A picture of one layer, fetched from the order's own service; 502 while that does not draw it."""
    order = running_order(request, reference)
    row, kind = endpoint_of(order, endpoint)
    form = PictureForm(request.GET)
    if kind is not ServiceKind.WMS:
        raise Http404
    if not form.is_valid() or not is_layer_of(row, form.cleaned_data["layer"]):
        return HttpResponse("No such map.", status=400, content_type="text/plain")
    try:
        picture = draw_map(row, **form.cleaned_data)
    except OutsideError as error:
        logger.info("No picture of the map of order %s: %s", order.reference, error)
        return HttpResponse("The map service did not respond.", status=502, content_type="text/plain")
    return HttpResponse(picture.content, content_type=picture.media_type)


def running_order(request: HttpRequest, reference: str) -> Order:
    """The order, if the viewer may see it and it is not being removed; else there is no such page."""
    order = visible_order(request, reference)
    if order.wanted == Wanted.REMOVED:
        raise Http404
    return order


def _edges(box: Box) -> str:
    return ",".join(f"{edge:.2f}" for edge in box)

"""Put the server together: who may come in, the pages, and the devices' own way."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Route

from edge.hub.pages.routes import routes as pages
from edge.hub.serve import device
from edge.hub.serve.guard import Guard
from edge.hub.serve.login import routes as logins
from edge.hub.serve.site import Site


def build(site: Site) -> Starlette:
    """Return the server of one hub, for any ASGI server; every worker builds its own."""
    return Starlette(
        routes=[
            *logins(site),
            *device.routes(site),
            Route("/v{version:int}/{rest:path}", device.other_version, methods=["GET", "HEAD", "PATCH"]),
            *pages(site),
        ],
        middleware=[Middleware(Guard, site=site)],
    )

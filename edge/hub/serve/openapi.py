"""What the server answers, as OpenAPI 3.1: for whoever writes another client. Pure."""

from __future__ import annotations

from typing import Any

from edge import __version__

_SHA256 = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
_NUMBER = {"type": "integer", "minimum": 0, "maximum": 67_108_864}
_OFFSET = {"Upload-Offset": {"description": "How many bytes are safe at the hub.", "schema": _NUMBER}}
_REFUSALS = {
    "400": "A name or a number that is none.",
    "401": "The device is not known, was revoked, or its signature is wrong.",
    "408": "Silent for too long in the middle of a portion.",
    "413": "Too large.",
    "429": "Too often; Retry-After says when.",
    "503": "Not now; Retry-After says when.",
    "507": "No room at the hub; Retry-After says when.",
}


def _refusals(*but: str) -> dict[str, Any]:
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Refusal"}}}
    headers = {"Amauta-Reason": {"schema": {"type": "string"}}}
    return {
        code: {"description": said, "content": content, "headers": headers}
        for code, said in _REFUSALS.items()
        if code not in but
    }


def _bare(refusals: dict[str, Any]) -> dict[str, Any]:
    """Return the same without bodies, as HEAD answers."""
    return {code: {name: v for name, v in each.items() if name != "content"} for code, each in refusals.items()}


def _parameter(name: str, where: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": where, "required": True, "schema": schema}


def description() -> dict[str, Any]:
    """Return the description of the devices' part of the server."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Amauta hub, wire protocol 1",
            "version": __version__,
            "description": "Sealed bundles in, a portion at a time; acknowledgements out. Everything may be repeated.",
        },
        "security": [{"device": []}],
        "paths": {"/v1/bundles/{sha256}": _bundles(), **_acks()},
        "components": {"securitySchemes": {"device": _DEVICE}, "schemas": {"Refusal": _REFUSAL, "Result": _RESULT}},
    }


_SEALED = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
_DEVICE = {
    "type": "apiKey",
    "in": "header",
    "name": "Authorization",
    "description": "Amauta KEY.TOKEN.SIGNATURE, see docs/hub-server.md",
}
_REFUSAL = {
    "type": "object",
    "required": ["reason", "say"],
    "properties": {"reason": {"type": "string"}, "say": {"type": "string"}},
}
_RESULT = {
    "type": "object",
    "required": ["state", "reason", "say"],
    "properties": {
        "state": {"enum": ["imported", "repeated", "refused"]},
        "reason": {"type": "string"},
        "say": {"type": "string"},
    },
}


def _json(schema: dict[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}


def _bundles() -> dict[str, Any]:
    """Return what may be asked of one bundle."""
    return {
        "parameters": [_parameter("sha256", "path", _SHA256)],
        "head": {
            "summary": "How much of a bundle is here.",
            "responses": {"200": {"description": "So much.", "headers": _OFFSET}, **_bare(_refusals())},
        },
        "patch": {
            "summary": "The next bytes of a bundle.",
            "parameters": [_parameter(name, "header", _NUMBER) for name in ("Upload-Offset", "Upload-Length")],
            "requestBody": {"content": _SEALED, "required": False},
            "responses": {
                "200": {
                    "description": "All is here, and this became of it.",
                    "content": _json({"$ref": "#/components/schemas/Result"}),
                },
                "204": {"description": "More is missing.", "headers": _OFFSET},
                "409": {"description": "Other bytes are missing.", "headers": _OFFSET},
                **_refusals(),
            },
        },
    }


def _acks() -> dict[str, Any]:
    """Return what may be asked of acknowledgements."""
    found = {"type": "object", "additionalProperties": {"type": "string"}}
    names = {"description": "Names, each with a text that changes with what it says.", "content": _json(found)}
    return {
        "/v1/acks": {
            "get": {
                "summary": "The names of the acknowledgements of a school.",
                "responses": {"200": names, **_refusals("507")},
            }
        },
        "/v1/acks/{name}": {
            "parameters": [_parameter("name", "path", {"type": "string", "pattern": "^[0-9a-z]{16}$"})],
            "get": {
                "summary": "The acknowledgement of a device, sealed for it alone.",
                "responses": {
                    "200": {"description": "It.", "content": _SEALED},
                    "204": {"description": "There is none."},
                    **_refusals("507"),
                },
            },
        },
    }

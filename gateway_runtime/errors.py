"""The gateway's own errors: a machine-readable key, its status and a sentence for the client.

Policies declare theirs beside their code (`PolicyType.errors`); response templates may be given for all.
"""

from __future__ import annotations

from gateway_runtime.exchange import Reply

ERRORS: dict[str, tuple[int, str]] = {
    "REQUEST_MALFORMED": (400, "The request is malformed."),
    "REQUEST_LINE_TOO_LONG": (414, "The request line is too long."),
    "REQUEST_HEADERS_TOO_LARGE": (431, "The request has too many or too long header fields."),
    "REQUEST_BODY_TOO_LARGE": (413, "The request body is too large."),
    "REQUEST_TIMEOUT": (408, "The request did not arrive in time."),
    "REQUEST_METHOD_NOT_SUPPORTED": (501, "The gateway does not serve this method."),
    "REQUEST_VERSION_NOT_SUPPORTED": (505, "The gateway speaks HTTP/1.0 and HTTP/1.1."),
    "REQUEST_EXPECTATION_FAILED": (417, "The gateway knows no expectation but 100-continue."),
    "GATEWAY_ROUTE_NOT_FOUND": (404, "No API is served at this host and path."),
    "GATEWAY_API_UNAVAILABLE": (503, "The API is not ready to serve requests."),
    "GATEWAY_PLAN_UNRESOLVABLE": (401, "No plan of the API accepts this request."),
    "GATEWAY_POLICY_FAILED": (500, "A policy of the API failed."),
    "GATEWAY_OVERLOADED": (503, "The gateway has no room for this request."),
    "GATEWAY_INTERNAL_ERROR": (500, "The gateway failed to serve this request."),
    "API_KEY_MISSING": (401, "The request has no API key."),
    "API_KEY_INVALID": (401, "The API key is not valid."),
    "JWT_MISSING_TOKEN": (401, "The request has no bearer token."),
    "JWT_INVALID_TOKEN": (401, "The bearer token is not valid."),
    "JWT_KEYS_UNAVAILABLE": (503, "The keys to check the bearer token cannot be had."),
    "SUBSCRIPTION_MISSING": (403, "The client has no subscription to the API."),
    "SUBSCRIPTION_EXPIRED": (403, "The subscription has ended."),
    "SUBSCRIPTION_NOT_STARTED": (403, "The subscription has not started."),
    "SUBSCRIPTION_PAUSED": (403, "The subscription is paused."),
    "SUBSCRIPTION_CLOSED": (403, "The subscription is closed."),
    "UPSTREAM_CONNECTION_FAILED": (502, "The backend cannot be reached."),
    "UPSTREAM_CONNECTION_CLOSED": (502, "The backend closed the connection before it answered."),
    "UPSTREAM_RESPONSE_INVALID": (502, "The backend sent an invalid response."),
    "UPSTREAM_CONNECT_TIMEOUT": (504, "The backend did not accept the connection in time."),
    "UPSTREAM_RESPONSE_TIMEOUT": (504, "The backend did not answer in time."),
    "UPSTREAM_NO_ENDPOINT": (503, "The API has no backend to send the request to."),
}


def error_reply(key: str, message: str = "") -> Reply:
    """The reply of one of the gateway's own errors; `message` replaces its sentence."""
    status, sentence = ERRORS[key]
    return Reply(status, key, message or sentence)

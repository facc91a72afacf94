"""Under which names this server is reached, and whose pages may use it."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.types import Scope

from inverse.web.host.answers import Refusal, header

VARIABLE = "APP_HOSTS"
"""Names of this server and of others whose pages may use it, between commas; `*` for all."""

UNKNOWN_HOST = "This server was not told that it goes by this name. Open it by its address, or name it in APP_HOSTS."
FOREIGN = "A page of another website asked for this. Open the app itself, or name that website in APP_HOSTS."


class Names:
    """What requests are held to.

    A page of another website may make a visitor's browser send requests here. It cannot hide whose page it is: the
    browser says so in `Origin`. But it can have its own name resolved to this machine (DNS rebinding), and then is no
    other website to the browser; only `Host` tells. Such a name is never an address in numbers.

    Args:
        told: names that are right, besides addresses and this machine's own.
        anywhere: any name is right in `Host`, since whoever started the server wants it to be reached from elsewhere.
    """

    def __init__(self, told: Collection[str] = (), anywhere: bool = True) -> None:
        self.told = {name.strip().lower() for name in told if name.strip()}
        self.everybody = "*" in self.told
        self.anywhere = anywhere or self.everybody

    def check(self, scope: Scope) -> None:
        """Refuses a request under a name that nobody told of, or from a page of another website.

        Raises:
            Refusal: 403.
        """
        host = hostname(header(scope, b"host").decode("latin-1"))
        if host and not (self.anywhere or is_address(host) or is_local(host) or host in self.told):
            raise Refusal(403, UNKNOWN_HOST)
        origin = header(scope, b"origin").decode("latin-1")
        # What pages cannot set, browsers say truthfully, behind whatever proxy.
        if not origin or self.everybody or header(scope, b"sec-fetch-site") in (b"same-origin", b"none"):
            return
        page = hostname(origin.partition("://")[2])
        forwarded = hostname(header(scope, b"x-forwarded-host").decode("latin-1").partition(",")[0])
        if not page or not (page in (host, forwarded) or page in self.told or (is_local(page) and is_local(host))):
            raise Refusal(403, FOREIGN)


def names_of(server_name: str | None, shared: bool) -> Names:
    """The names of a server.

    Args:
        server_name: what it listens to, as Gradio takes it.
        shared: it is reached through a tunnel, too.
    """
    listens = (server_name or os.environ.get("GRADIO_SERVER_NAME") or "127.0.0.1").strip("[]").lower()
    told = [listens, *os.environ.get(VARIABLE, "").split(","), *os.environ.get("SPACE_HOST", "").split(",")]
    if os.environ.get("SPACE_ID"):
        told.append("huggingface.co")  # whose page shows a Space
    return Names(told, anywhere=shared or not is_local(listens) or listens in ("0.0.0.0", "::"))


def hostname(authority: str) -> str:
    """The name in "name:port", without the port and the brackets of IPv6, in lower case; empty where there is none."""
    try:
        return (urlsplit(f"//{authority.strip()}").hostname or "").rstrip(".")
    except ValueError:  # brackets that do not close
        return authority


def is_address(host: str) -> bool:
    """Whether it is an address in numbers."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def is_local(host: str) -> bool:
    """Whether it is this machine, as seen from this machine."""
    if not is_address(host):
        return host == "localhost" or host.endswith(".localhost")
    address = ipaddress.ip_address(host)
    return address.is_loopback or address.is_unspecified

"""Connections, before and beside requests: how long they wait for one, how many there are, and who still reads.

uvicorn has no timeout for the head of a request, no bound on connections and none on how long an answer is not taken.
All that is used of its insides is here, and `test_connections.py` says when it is gone: a protocol's `transport` and
`cycle`, a cycle's `response_complete`, and what a server has its protocols made of and listens by.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
import time
from collections import Counter
from typing import Any

from inverse.web.base import limits

try:
    import fcntl
    import resource
    import termios
except ImportError:  # Windows, where asyncio alone knows what was not taken, and files are not counted
    fcntl = None

SPARE = 128
"""Files besides connections: the log, libraries, uploads that are being written, sockets of the event loop."""
AT_A_TIME = 32
"""Connections that are taken in one turn of the event loop. It would be all that wait, up to 2048, and they use up the
files: being counted takes a connection two turns more, so that there may be thrice as many that are not."""
LOOK_EVERY = 1.0
"""Seconds between two looks at all connections."""


class Line:
    """What is known of a connection.

    Attributes:
        address: of the client, None where it may stand for many clients.
        since: when it last had a request, or began.
        taken: when the client last took something, or there was nothing to take.
        unsent: bytes that it had not taken at the last look.
        cycle: its latest request, as uvicorn keeps it.
    """

    def __init__(self, protocol: Any, now: float) -> None:
        self.address = counted_address(protocol.transport.get_extra_info("peername"))
        self.since = self.taken = now
        self.unsent = 0
        self.cycle = None


class Connections:
    """All connections of a server."""

    def __init__(self) -> None:
        self.lines: dict[Any, Line] = {}
        self.addresses: Counter[str] = Counter()
        self.most = room_for(limits.current().connections)
        self.server: Any = None

    def guard(self, server: Any) -> None:
        """Counts and bounds the connections that a uvicorn server takes from now on."""
        connections, kind = self, server.config.http_protocol_class

        class Guarded(kind):
            def connection_made(self, transport: asyncio.Transport) -> None:
                super().connection_made(transport)
                connections.begun(self)

            def connection_lost(self, exc: Exception | None) -> None:
                connections.ended(self)
                super().connection_lost(exc)

        self.server = server
        server.config.http_protocol_class = Guarded
        server.config.ws_protocol_class = None  # the page needs none, and its connections would not be counted

    def begun(self, protocol: Any) -> None:
        """Takes a connection in. At the bound the one goes that waits longest for a request, else the new one."""
        line = self.lines[protocol] = Line(protocol, time.monotonic())
        if line.address is not None:
            self.addresses[line.address] += 1
            if self.addresses[line.address] > limits.current().address:
                self._let_go([each for each in self.lines if self.lines[each].address == line.address])
        if len(self.lines) > self.most:
            self._let_go([*self.lines])

    def ended(self, protocol: Any) -> None:
        """Forgets a connection, which it may have forgotten already."""
        line = self.lines.pop(protocol, None)
        if line is not None and line.address is not None:
            self.addresses[line.address] -= 1
            self.addresses += Counter()  # without those that are 0

    def _let_go(self, some: list[Any]) -> None:
        waiting = [each for each in some if not has_request(each)]
        chosen = min(waiting, key=lambda each: self.lines[each].since) if waiting else some[-1]
        self.ended(chosen)  # at once: the loop calls connection_lost later
        chosen.transport.abort()

    def look(self, now: float) -> None:
        """Closes those that wait too long for a request, and those whose clients take nothing any more."""
        allowed = limits.current()
        for protocol, line in [*self.lines.items()]:
            unsent = not_taken(protocol.transport)
            if unsent < line.unsent or unsent == 0:
                line.taken = now
            line.unsent = unsent
            if has_request(protocol) or protocol.cycle is not line.cycle:
                line.since, line.cycle = now, protocol.cycle
            if now - line.taken > allowed.abandoned or now - line.since > allowed.head:
                self.ended(protocol)
                protocol.transport.abort()

    async def watch(self) -> None:
        """Looks again and again, on the server's own loop."""
        while self.server is None or not self.server.started:
            await asyncio.sleep(LOOK_EVERY / 10)
        await self._take_few()
        while True:
            await asyncio.sleep(LOOK_EVERY)
            self.look(time.monotonic())

    async def _take_few(self) -> None:
        """Has the server listen anew, `AT_A_TIME`; its sockets stay open, and so does what waits at them."""
        server, loop = self.server, asyncio.get_running_loop()

        def protocol() -> Any:
            made = {"config": server.config, "server_state": server.server_state, "app_state": server.lifespan.state}
            return server.config.http_protocol_class(**made)

        before, server.servers = server.servers, []
        for each in before:
            for listening in each.sockets:
                with contextlib.suppress(RuntimeError, NotImplementedError):  # of other loops
                    loop.remove_reader(listening.fileno())
            await asyncio.sleep(0)  # what was accepted becomes a connection, which a closed server would not let it
            for listening in each.sockets:
                same = listening.dup()
                made = await loop.create_server(protocol, sock=same, ssl=server.config.ssl, backlog=AT_A_TIME)
                same.listen(server.config.backlog)  # as many as before may wait in the system
                server.servers.append(made)
            each.close()


def has_request(protocol: Any) -> bool:
    """Whether the head of a request is complete, and its answer is not."""
    return protocol.cycle is not None and not protocol.cycle.response_complete


def not_taken(transport: asyncio.Transport) -> int:
    """Bytes that were sent to a client and did not reach its machine yet.

    What lies in the buffer of that machine counts as taken, so a client that does not read is known by it when that
    buffer is full.
    """
    waiting = transport.get_write_buffer_size()
    if fcntl is None or transport.is_closing():
        return waiting
    answer = fcntl.ioctl(transport.get_extra_info("socket").fileno(), termios.TIOCOUTQ, bytes(4))
    return waiting + int.from_bytes(answer, "little")


def counted_address(peer: Any) -> str | None:
    """What counts as one client: an address, or the network of 64 bits that one has in IPv6.

    None for this machine and private networks: from there a proxy asks, on behalf of everybody.
    """
    try:
        address = ipaddress.ip_address(peer[0].partition("%")[0])
    except (TypeError, LookupError, AttributeError, ValueError):  # a socket of this machine
        return None
    address = getattr(address, "ipv4_mapped", None) or address
    if not address.is_global:
        return None
    return str(address) if address.version == 4 else str(ipaddress.ip_network((int(address) >> 64 << 64, 64)))


def room_for(wanted: int) -> int:
    """How many connections there may be, so that files are left for everything else; asks for more files if need be."""
    if fcntl is None:
        return wanted
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = wanted + SPARE
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return wanted
    more = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (more, hard))
    except (ValueError, OSError):  # a system that does not say what it allows
        more = soft
    return max(more - SPARE, more // 2)


class Seldom(logging.Filter):
    """Lets the same words into a log once a minute, and says then how often they came."""

    EVERY = 60.0
    REMEMBERED = 200

    def __init__(self) -> None:
        super().__init__()
        self.said: dict[tuple, tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        words = (str(record.msg).split("\n", 1)[0], type(error), str(error)[:200])
        now = time.monotonic()
        at, count = self.said.get(words, (-self.EVERY, 0))
        if now - at < self.EVERY:
            self.said[words] = (at, count + 1)
            return False
        self.said.pop(words, None)
        self.said[words] = (now, 0)
        if len(self.said) > self.REMEMBERED:
            del self.said[next(iter(self.said))]
        if count:
            record.msg = f"{record.msg} (and {count} times since it was said last)"
        return True


def quieten() -> None:
    """What any client can make the server say over and over is said once a minute."""
    for name in ("asyncio", "uvicorn.error", "inverse.web.host.gate"):
        log = logging.getLogger(name)
        if not any(isinstance(each, Seldom) for each in log.filters):
            log.addFilter(Seldom())

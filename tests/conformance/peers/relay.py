"""A WebSocket server and client of Python's `websockets` between the suite and a broker.

usage: relay.py UPSTREAM; prints its own endpoint.
"""
import asyncio
import logging
import ssl
import sys

import websockets
from websockets.exceptions import ConnectionClosed

LIMITS = {"max_size": 4_194_304, "compression": None, "ping_interval": None}
logging.getLogger("websockets").addHandler(logging.NullHandler())


async def pump(source, sink):
    try:
        async for message in source:
            if isinstance(message, str):
                return await source.close(1003)
            await sink.send(message)
    except ConnectionClosed:
        pass
    finally:
        await asyncio.gather(source.close(), sink.close())


async def main():
    trust = ssl.create_default_context()
    trust.check_hostname, trust.verify_mode = False, ssl.CERT_NONE

    async def relay(near):
        async with websockets.connect(sys.argv[1], ssl=trust, subprotocols=["sealwire.0"],
                                      **LIMITS) as far:
            await asyncio.gather(pump(near, far), pump(far, near))

    async def refuse(path, headers):
        if path != "/":
            return 404, [], b""
        if "Origin" in headers or "sealwire.0" not in headers.get("Sec-WebSocket-Protocol", ""):
            return 403, [], b""

    async with websockets.serve(relay, "127.0.0.1", 0, subprotocols=["sealwire.0"],
                                process_request=refuse, **LIMITS) as server:
        print(f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/", flush=True)
        await asyncio.Future()


asyncio.run(main())

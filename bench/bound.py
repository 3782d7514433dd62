"""The bound: a bare aiohttp WebSocket server that answers OCPP 1.6 and 2.0.1 with orjson and stores nothing.

What aiohttp itself costs is here and nothing else, so no product on aiohttp can be cheaper. Its
quickest ways are taken: text is not decoded, frames are not compressed, answers are constants.
"""

import argparse
import asyncio

import orjson
import uvloop
from aiohttp import WSMsgType, web

ACCEPTED = {"status": "Accepted"}
ANSWERS = {
    "BootNotification": {"currentTime": "2026-11-22T07:00:00Z", "interval": 300, **ACCEPTED},
    "Heartbeat": {"currentTime": "2026-11-22T07:00:00Z"},
    "Authorize": {"idTagInfo": ACCEPTED},  # 2.0.1: idTokenInfo, as long
    "StartTransaction": {"idTagInfo": ACCEPTED, "transactionId": 1234567890},
    "StopTransaction": {"idTagInfo": ACCEPTED},
    "StatusNotification": {},
    "MeterValues": {},
}
EVENTS = {"Started": {"idTokenInfo": ACCEPTED}, "Updated": {}, "Ended": {"idTokenInfo": ACCEPTED}}
"""The answers to a TransactionEvent of 2.0.1."""


async def charger(request: web.Request) -> web.WebSocketResponse:
    """Answer every call of one charger."""
    socket = web.WebSocketResponse(protocols=("ocpp1.6", "ocpp2.0.1"), compress=False, decode_text=False)
    await socket.prepare(request)
    async for message in socket:
        _, id, action, payload = orjson.loads(message.data)
        answer = EVENTS[payload["eventType"]] if action == "TransactionEvent" else ANSWERS[action]
        await socket.send_frame(orjson.dumps([3, id, answer]), WSMsgType.TEXT)
    return socket


async def healthz(request: web.Request) -> web.Response:
    """Say that the server is up."""
    return web.Response(text="ok")


async def serve(port: int) -> None:
    app = web.Application()
    app.router.add_get("/ocpp/{id}", charger)
    app.router.add_get("/healthz", healthz)
    runner = web.AppRunner(app, access_log=None, handler_cancellation=False)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port, backlog=4096).start()
    await asyncio.Event().wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    uvloop.run(serve(parser.parse_args().port))


if __name__ == "__main__":
    main()

"""Several addresses: plain and TLS, each for those it serves, with certificates that are renewed while it runs."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from onprem_csms import app, config
from onprem_csms.db.engine import keys
from onprem_csms.db.engine.keys import DataFolder
from onprem_csms.domain.chargers.chargers import NewCharger
from onprem_csms.domain.listeners import ListenerConfig
from onprem_csms.errors import Invalid
from onprem_csms.listening import tls_context
from onprem_csms.services.chargers import inventory

PASSWORD = "correct-horse-battery"
KEY = {"Authorization": aiohttp.encode_basic_auth("CP1", PASSWORD)}


def certificate(folder: Path, name: str, key: Any) -> tuple[str, str]:
    """Write a certificate that signs itself, and its key; returns their paths."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem, key_pem = folder / "server.pem", folder / "server.key"
    if isinstance(key, rsa.RSAPrivateKey):
        pem, key_pem = folder / "rsa.pem", folder / "rsa.key"
    pem.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    plain = (serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    key_pem.write_bytes(key.private_bytes(serialization.Encoding.PEM, *plain))
    return str(pem), str(key_pem)


def elliptic() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


@pytest.fixture
async def program(tmp_path: Path) -> AsyncIterator[app.Program]:
    """The product with a plain port for everything, and one with TLS for chargers alone."""
    pairs = (
        certificate(tmp_path, "first", elliptic()),
        certificate(tmp_path, "rsa", rsa.generate_private_key(65537, 2048)),
    )
    files, secrets = zip(*pairs, strict=True)
    secure = ListenerConfig(0, "127.0.0.1", files, secrets, ("chargers",))
    pages = ListenerConfig(0, "127.0.0.1", serves=("pages", "api"))
    settings = config.Config(server=config.Server(host="127.0.0.1", port=0), listeners=(secure, pages))
    folder = DataFolder(tmp_path / "data")
    keys.create(folder)
    async with app.running(settings, folder) as running:
        yield running


def trusting(ciphers: str = "", newest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3) -> ssl.SSLContext:
    """A client that takes any certificate, with these suites of TLS 1.2."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.maximum_version = newest
    if ciphers:
        context.set_ciphers(ciphers)
    return context


async def status(url: str) -> int:
    async with (
        aiohttp.ClientSession() as http,
        http.get(url, ssl=trusting(), allow_redirects=False) as response,
    ):
        return response.status


async def presented(port: int, context: ssl.SSLContext) -> str:
    """Return the name in the certificate that a port shows."""
    _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
    shown = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.close()
    name = x509.load_der_x509_certificate(shown).subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value
    return str(name)


async def test_each_listener_serves_those_that_it_names_and_answers_404_to_others(
    program: app.Program,
) -> None:
    everything, chargers, pages = program.listening.ports
    for path, good in (("/ocpp/CP1", 426), ("/admin/", 303), ("/", 200), ("/api/v1/openapi.json", 200)):
        assert await status(f"http://127.0.0.1:{everything}{path}") == good, path
    assert await status(f"https://127.0.0.1:{chargers}/ocpp/CP1") == 426
    for path in ("/admin/", "/", "/api/v1/openapi.json", "/c/x", "/static/site.css", "/setup/x", "//admin/"):
        assert await status(f"https://127.0.0.1:{chargers}{path}") == 404, path
    assert await status(f"http://127.0.0.1:{pages}/ocpp/CP1") == 404
    assert await status(f"http://127.0.0.1:{pages}//ocpp/CP1") == 404
    assert await status(f"http://127.0.0.1:{pages}/driver") == 404
    assert await status(f"http://127.0.0.1:{pages}/admin/") == 303
    assert await status(f"https://127.0.0.1:{chargers}/healthz") == 200


async def test_a_charger_of_profile_2_comes_over_tls_alone(program: app.Program) -> None:
    plain, secure, _ = program.listening.ports
    charger = NewCharger("CP1", password=PASSWORD, security_profile=2)
    await program.ctx.write(inventory.create, charger)
    async with aiohttp.ClientSession() as http:
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await http.ws_connect(f"ws://127.0.0.1:{plain}/ocpp/CP1", headers=KEY, protocols=("ocpp1.6",))
        ws = await http.ws_connect(
            f"wss://127.0.0.1:{secure}/ocpp/CP1", headers=KEY, protocols=("ocpp1.6",), ssl=trusting()
        )
        await ws.send_str('[2,"1","Heartbeat",{}]')
        assert "currentTime" in (await ws.receive_str())
        await ws.close()


async def test_a_charger_with_rsa_alone_and_one_without_key_exchange_are_understood(
    program: app.Program,
) -> None:
    port = program.listening.ports[1]
    newest = ssl.TLSVersion.TLSv1_2
    assert await presented(port, trusting("ECDHE-ECDSA-AES128-GCM-SHA256", newest)) == "first"
    assert await presented(port, trusting("AES128-GCM-SHA256", newest)) == "rsa"
    with pytest.raises((ssl.SSLError, ConnectionError)):
        await presented(port, trusting("ECDHE-RSA-AES128-SHA", newest))


async def test_a_renewed_certificate_is_shown_to_the_next_and_open_connections_stay(
    program: app.Program, tmp_path: Path
) -> None:
    port = program.listening.ports[1]
    await program.ctx.write(inventory.create, NewCharger("CP1", password=PASSWORD))
    async with aiohttp.ClientSession() as http:
        ws = await http.ws_connect(
            f"wss://127.0.0.1:{port}/ocpp/CP1",
            headers=KEY,
            protocols=("ocpp1.6",),
            ssl=trusting(),
        )
        certificate(tmp_path, "second", elliptic())
        program.listening.reload()
        assert (
            await presented(port, trusting("ECDHE-ECDSA-AES128-GCM-SHA256", ssl.TLSVersion.TLSv1_2))
            == "second"
        )
        (tmp_path / "server.key").write_text("broken")
        program.listening.reload()
        assert (
            await presented(port, trusting("ECDHE-ECDSA-AES128-GCM-SHA256", ssl.TLSVersion.TLSv1_2))
            == "second"
        )
        await ws.send_str('[2,"1","Heartbeat",{}]')
        assert "currentTime" in (await ws.receive_str())
        await ws.close()


def test_a_certificate_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match=r"nowhere\.pem"):
        tls_context(ListenerConfig(1, certificates=(str(tmp_path / "nowhere.pem"),), keys=("nowhere.key",)))


def test_faults_of_listeners_are_sentences_with_their_path() -> None:
    tables = [
        {"port": 8080},
        {"port": 70_000, "certificates": ["a.pem"], "serves": []},
        {"port": 1, "serves": ["everybody"]},
        {"host": "::"},
    ]
    with pytest.raises(Invalid) as fault:
        config.parse({"listeners": tables})
    paths = [path for path, _ in fault.value.faults]
    assert {"listeners.3.serves", "listeners.4.port"} <= set(paths)
    with pytest.raises(Invalid) as fault:
        config.parse({"listeners": tables[:2]})
    assert [path for path, _ in fault.value.faults] == [
        "listeners.1.port",
        "listeners.2.port",
        "listeners.2.keys",
        "listeners.2.serves",
    ]
    with pytest.raises(Invalid, match="faults"):
        config.parse({"listeners": {"port": 1}})

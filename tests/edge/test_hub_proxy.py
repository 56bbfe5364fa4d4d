"""The proxy files in packaging/hub do what docs/hub-server.md says: TLS in front, the hub behind it."""

from __future__ import annotations

import datetime
import os
import re
import shutil
import socket
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from edge.hub import place as places
from edge.hub.database import open_database
from edge.hub.serve import people
from handing import NOW
from served import TOKEN, enter

ROOT = Path(__file__).resolve().parents[2]
NGINX = shutil.which("nginx") or next(iter(map(str, Path("/usr/sbin").glob("nginx"))), None)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def make_certificate(folder: Path) -> None:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.datetime.now(datetime.UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=9))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    (folder / "fullchain.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    content = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    (folder / "privkey.pem").write_bytes(content)


@contextmanager
def running(command: list[str], port: int) -> Iterator[None]:
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            until = time.monotonic() + 30
            while True:
                assert process.poll() is None, process.stdout and process.stdout.read()
                assert time.monotonic() < until
                with socket.socket() as probe:
                    if probe.connect_ex(("127.0.0.1", port)) == 0:
                        break
                time.sleep(0.05)
            yield
        finally:
            process.terminate()


@pytest.mark.skipif(NGINX is None, reason="Debian's nginx-light is not installed")
def test_nginx_as_shipped_carries_people_and_devices_to_the_hub(tmp_path: Path) -> None:
    place = places.create(tmp_path / "hub", "Distrito")
    with open_database(place) as database:
        people.add(database, "Maria", "district", "", TOKEN, NOW)
    make_certificate(tmp_path)
    behind, front = free_port(), free_port()
    shipped = (ROOT / "packaging" / "hub" / "nginx.conf").read_text()
    site = shipped.replace("listen 443 ssl", f"listen 127.0.0.1:{front} ssl").replace(
        "127.0.0.1:8460", f"127.0.0.1:{behind}"
    )
    site = re.sub(r"listen \[::\].*\n", "", site).replace("/etc/ssl/amauta", str(tmp_path))
    temporary = "".join(f"{kind}_temp_path {tmp_path}/{kind};\n" for kind in ("client_body", "proxy"))
    for kind in ("fastcgi", "uwsgi", "scgi"):
        temporary += f"{kind}_temp_path {tmp_path}/{kind};\n"
    user = "user root;\n" if hasattr(os, "getuid") and os.getuid() == 0 else ""
    config = tmp_path / "nginx.conf"
    config.write_text(
        f"{user}daemon off;\npid {tmp_path}/nginx.pid;\nerror_log {tmp_path}/error.log;\nevents {{}}\n"
        f"http {{\naccess_log off;\n{temporary}{site}}}\n"
    )
    assert NGINX
    serve = [sys.executable, "-m", "tui", "hub", "serve", "--hub", str(tmp_path / "hub")]
    with (
        running([*serve, "--port", str(behind), "--trust-proxy"], behind),
        running([NGINX, "-c", str(config), "-p", str(tmp_path)], front),
    ):
        trusted = ssl.create_default_context(cafile=str(tmp_path / "fullchain.pem"))
        with urllib.request.urlopen(f"https://localhost:{front}/", context=trusted, timeout=20) as answer:
            assert answer.url.startswith(f"https://localhost:{front}/login")
            assert "max-age" in answer.headers["Strict-Transport-Security"]
            assert "Secure" in answer.headers["Set-Cookie"]
        with httpx.Client(base_url=f"https://localhost:{front}", verify=trusted) as client:
            client.headers["X-Forwarded-For"] = "6.6.6.6"
            entered = enter(client, "Maria", TOKEN)
        assert entered.status_code == 303
        session = [each for each in entered.headers.get_list("set-cookie") if each.startswith("amauta_session=")]
        assert {"Secure", "HttpOnly", "SameSite=strict"} <= set(session[0].split("; "))
        with open_database(place) as database:
            sql = "SELECT detail FROM audit WHERE deed = 'login'"
            assert database.rows(sql) == [("Maria 127.0.0.1",)], "what a caller claims about itself is replaced"
        device = urllib.request.Request(f"https://localhost:{front}/v1/bundles/{'0' * 64}", method="HEAD")
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(device, context=trusted, timeout=20)
        assert refused.value.code == 401
        refused.value.close()

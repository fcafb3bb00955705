"""TCP, ports, stats, sync, power."""

import os
import socket
import struct
import threading

from link import GROW_ROOT, PORTS, POWER_OFF, SET_IDENTITY, STATS, SYNC, TCP, Agent, AgentError, field, number


def code_of(channel):
    channel.until(lambda: channel.finished)
    return channel.error.code


class EchoServer:
    """Echoes each connection until its end of file, then says goodbye."""

    def __init__(self, family=socket.AF_INET, address="127.0.0.1"):
        self.listener = socket.socket(family)
        self.listener.bind((address, 0))
        self.listener.listen()
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            client, _ = self.listener.accept()
            threading.Thread(target=self.echo, args=(client,), daemon=True).start()

    @staticmethod
    def echo(client):
        while data := client.recv(1 << 16):
            client.sendall(data)
        client.sendall(b"goodbye")
        client.close()


def test_tcp(binary):
    server = EchoServer()
    with Agent(binary) as link:
        data = os.urandom(8 << 20)
        channels = [link.open(TCP, field(3, server.port)) for _ in range(3)]
        for channel in channels:
            channel.write(data)  # before OPENED
            channel.end()
        for channel in channels:
            channel.wait(60)
            assert channel.opened == {} and channel.result == {} and channel.stdout == data + b"goodbye"


def test_tcp_ipv6_and_refusals(binary):
    with Agent(binary) as link:
        if os.path.exists("/proc/net/if_inet6") and "::1" and open("/proc/net/if_inet6").read():
            server = EchoServer(socket.AF_INET6, "::1")
            channel = link.open(TCP, field(2, "::1") + field(3, server.port))
            channel.write(b"six")
            channel.end()
            assert channel.wait().stdout == b"sixgoodbye"
        free = socket.socket()
        free.bind(("127.0.0.1", 0))
        channel = link.open(TCP, field(3, free.getsockname()[1]))
        channel.write(b"to nobody")
        assert code_of(channel) == "REFUSED"
        for body in (field(3, 0), field(3, 65536), field(2, "localhost") + field(3, 80), field(2, "a\0b") + field(3, 80), b""):
            assert code_of(link.open(TCP, body)) == "INVALID"


def test_tcp_reset_and_half_close(binary):
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    with Agent(binary) as link:
        channel = link.open(TCP, field(3, listener.getsockname()[1]))
        assert link.ping()
        client, _ = listener.accept()
        client.sendall(b"bye")
        client.shutdown(socket.SHUT_WR)
        channel.until(lambda: 1 in channel.ended)
        assert channel.stdout == b"bye" and not channel.finished  # the other direction is open
        channel.write(b"still here")
        assert link.ping() and client.recv(100) == b"still here"
        channel.end()
        assert channel.wait().result == {}
        channel = link.open(TCP, field(3, listener.getsockname()[1]))
        assert link.ping()
        client, _ = listener.accept()
        channel.until(lambda: channel.opened is not None)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.close()
        channel.write(b"x" * 100000)
        channel.write(b"x" * 100000)
        channel.end()
        assert channel.wait().result == {}
        channel = link.open(TCP, field(3, listener.getsockname()[1]))
        assert link.ping()
        client, _ = listener.accept()
        channel.until(lambda: channel.opened is not None)
        channel.close()
        assert link.ping() and client.recv(1) == b""


def test_ports(binary):
    server = EchoServer()
    datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    datagrams.bind(("127.0.0.1", 0))
    with Agent(binary) as link:
        entries = {}
        for raw in link.open(PORTS).wait().result.get(1, []):
            protocol, family, port, inode = struct.unpack_from("<BBHI", raw)
            pid = struct.unpack_from("<I", raw, 24)[0]
            entries[protocol, port] = (family, inode, raw[8:24], pid, raw[28:].decode())
        family, inode, address, pid, name = entries[6, server.port]
        assert (family, address, pid) == (4, bytes([127, 0, 0, 1]) + bytes(12), os.getpid())
        assert inode == os.fstat(server.listener.fileno()).st_ino
        assert name == open("/proc/self/comm").read().strip()
        assert (17, datagrams.getsockname()[1]) in entries


def test_stats(binary):
    with Agent(binary) as link:
        result = link.open(STATS).wait().result
        load = struct.unpack("<3I", result[1][0])
        assert abs(load[2] / 100 - os.getloadavg()[2]) < 0.5
        total, free, available, cached, _, _ = struct.unpack("<6Q", result[2][0])
        assert total == os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") and 0 < free <= total and available <= total and cached
        uptime = float(open("/proc/uptime").read().split()[0])
        assert abs(number(result[3][0]) / 1000 - uptime) < 5
        assert number(result[4][0]) > 2
        assert struct.unpack("<8Q", result[5][0])[3] > 0
        disks = {raw[24:].decode(): struct.unpack_from("<3Q", raw) for raw in result[6]}
        assert disks["/"][0] == os.statvfs("/").f_blocks * os.statvfs("/").f_frsize
        networks = {raw[32:].decode(): struct.unpack_from("<4Q", raw) for raw in result[7]}
        assert "lo" in networks and networks["lo"][0] == networks["lo"][1]


def test_sync_and_what_only_a_machine_does(binary):
    with Agent(binary) as link:
        assert link.open(SYNC).wait(60).result == {}
        for operation in (POWER_OFF, GROW_ROOT, SET_IDENTITY):
            assert code_of(link.open(operation)) == "UNSUPPORTED"
        assert link.ping()

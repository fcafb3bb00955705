"""HELLO, resynchronisation, protocol errors, reconnecting."""

import os
import socket
import struct
import subprocess
import tempfile
import time

from link import CLOSE, DATA, EXEC, HELLO, OPEN, PING, RESYNC, STATS, Agent, Link, field, frame, number


def test_hello_and_ping(binary):
    with Agent(binary) as link:
        fields = link.hello()
        assert number(fields[1][0]) == 1 and number(fields[7][0]) == 1 and number(fields[8][0]) == 1
        assert len(fields[2][0]) == 36 and fields[5][0].decode() == os.uname().release
        assert fields[4][0] == b"other" and number(fields[6][0]) > 0
        assert link.ping(b"") and link.ping(bytes(range(64)))


def test_no_common_generation(binary):
    with Agent(binary) as link:
        fields = link.hello(lowest=7, highest=9)
        assert number(fields[1][0]) == 0
        link.send(frame(PING, 0, b"ignored"))
        fields = link.hello(lowest=0, highest=9)
        assert number(fields[1][0]) == 1 and not link.control
        assert link.ping()


def test_cut_at_every_byte(binary):
    frames = [
        frame(PING, 0, b"some bytes"),
        frame(OPEN, 5, field(1, EXEC) + field(2, "echo") + field(2, "never")),
        frame(DATA, 9, bytes(range(1, 100))),
        frame(HELLO, 0, field(1, b"n" * 16) + field(2, 1) + field(3, 1)),
        frame(CLOSE, 77),
    ]
    count = 0
    with Agent(binary) as link:
        for whole in frames:
            for cut in range(len(whole)):
                link.send(whole[:cut])
                while link.outbox:
                    link.step(time.time() + 5)
                link.hello()
                assert link.ping(struct.pack("<I", cut))
                count += 1
        # The longest possible frame, cut where the most is missing.
        link.send(b"\xba\x6e\x12\x00\x01\x00\x00\x00\x00\x00\x01")
        link.hello()
        assert link.ping()
    return f" {count} cuts"


def test_malformed_ends_the_session_only(binary):
    bad = [
        b"GET / HTTP/1.1\r\n\r\n",
        frame(PING, 0, b"x")[:-1] + b"X",
        b"\xba\x6e\x03\x00" + struct.pack("<II", 0, 65537),
        frame(PING, 0, b"p" * 65),
        frame(OPEN, 0, field(1, STATS)),
        frame(OPEN, 3, b"\x01\xff\xff\xff\xff"),
        frame(HELLO, 0, field(1, b"short")),
        os.urandom(100000).replace(b"\xba", b"\x11"),
    ]
    with Agent(binary) as link:
        for data in bad:
            running = link.exec(["sleep", "1000"])
            running.until(lambda: running.opened)
            pid = number(running.opened[1][0])
            link.send(data)
            link.hello()
            assert link.ping()
            end = time.time() + 5
            while os.path.exists(f"/proc/{pid}") and time.time() < end:
                time.sleep(0.01)
            assert not os.path.exists(f"/proc/{pid}"), "the old session's command still runs"


def test_unknown_frames_and_operations(binary):
    with Agent(binary) as link:
        link.send(frame(99, 0, b"later") + frame(99, 4, b"later") + frame(DATA, 123, b"no such channel"))
        channel = link.open(4711)
        channel.until(lambda: channel.finished)
        assert channel.error.code == "UNSUPPORTED" and link.ping()


def test_old_output_never_reaches_the_new_host(binary):
    with Agent(binary) as link:
        for _ in range(5):
            channel = link.exec(["sh", "-c", "yes old"])
            channel.until(lambda: len(channel.stdout) > 1000)
            link.hello()
            fresh = link.run(["echo", "new"])
            assert fresh.stdout == b"new\n"


def test_listen_accepts_again(binary):
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/agent.sock"
        process = subprocess.Popen([binary, "--listen", path], stderr=subprocess.DEVNULL)
        try:
            for i in range(5):
                end = time.time() + 10
                while True:
                    client = socket.socket(socket.AF_UNIX)
                    try:
                        client.connect(path)
                        break
                    except OSError:
                        client.close()
                        assert time.time() < end
                        time.sleep(0.02)
                link = Link(client)
                link.hello()
                assert link.run(["echo", str(i)]).stdout == f"{i}\n".encode()
                link.exec(["sleep", "1000"])
                link.send(RESYNC[: i * 100] + frame(PING)[:i])
                link.sock.send(link.outbox)
                client.close()
        finally:
            process.terminate()
            assert process.wait(10) == 0

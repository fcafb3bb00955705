"""A host's side of the guest protocol, for tests: blocking, one thread, standard library only."""

import os
import select
import socket
import struct
import subprocess
import time

HELLO, HELLO_OK, PING, PONG = 1, 2, 3, 4
OPEN, OPENED, DATA, EOF, CREDIT, RESIZE, SIGNAL, RESULT, ERROR, CLOSE = range(16, 26)
EXEC, TAR_IN, TAR_OUT, TCP, PORTS, STATS, SYNC, POWER_OFF = range(1, 9)
UDP = 9
GROW_ROOT, SET_IDENTITY = 10, 11
LOST = 26
COMMANDS, ATTACH, SIGNAL_COMMAND, REMOVE_COMMAND, START_COMMAND = range(12, 17)
SERVICE_DEFINE, SERVICE_STATUS, SERVICE_STOP, SERVICE_START = range(17, 21)
WINDOW = 262144
RESYNC = bytes(65552)


def frame(kind, channel=0, payload=b"", stream=0):
    return b"\xba\x6e" + struct.pack("<BBII", kind, stream, channel, len(payload)) + payload + b"BNGR"


def field(tag, value):
    if isinstance(value, int):
        value = struct.pack("<I", value)
    if isinstance(value, str):
        value = value.encode()
    return struct.pack("<BI", tag, len(value)) + value


def parse_fields(payload):
    found, at = {}, 0
    while at < len(payload):
        tag, length = struct.unpack_from("<BI", payload, at)
        found.setdefault(tag, []).append(payload[at + 5 : at + 5 + length])
        at += 5 + length
    assert at == len(payload), "a field runs past the payload"
    return found


def number(value):
    return int.from_bytes(value, "little")


def process_stat(pid):
    """State, parent, group and session; None when there is no such process."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            state, *numbers = file.read().rpartition(")")[2].split()[:4]
            return (state, *map(int, numbers))
    except (FileNotFoundError, ProcessLookupError):
        return None


def children_of(parent):
    stats = {int(name): process_stat(name) for name in os.listdir("/proc") if name.isdigit()}
    return [pid for pid, stat in stats.items() if stat and stat[1] == parent]


def spare_of(agent, others=()):
    """The child that waits for a command, when the agent has no other children than these."""
    end = time.time() + 5
    while time.time() < end:
        found = [pid for pid in children_of(agent) if pid not in others]
        stat = process_stat(found[0]) if len(found) == 1 else None
        if stat and stat[0] == "S":
            return found[0]
        time.sleep(0.01)
    raise AssertionError("the agent has no spare child")


class AgentError(Exception):
    def __init__(self, fields):
        self.code = fields[1][0].decode()
        self.message = fields[2][0].decode()
        super().__init__(f"{self.code}: {self.message}")


class Link:
    """Frames over a connected socket. Keeps per-channel queues, so that channels can be read one by one."""

    def __init__(self, sock):
        self.sock = sock
        self.sock.setblocking(False)
        self.inbox = bytearray()
        self.outbox = bytearray()
        self.channels = {}
        self.control = []
        self.next_channel = 1
        self.closed = False

    def send(self, data):
        self.outbox += data

    def hello(self, nonce=None, lowest=1, highest=1, resync=True, deadline=20):
        nonce = nonce or os.urandom(16)
        self.outbox.clear()
        self.channels, self.control = {}, []
        self.send((RESYNC if resync else b"") + frame(HELLO, 0, field(1, nonce) + field(2, lowest) + field(3, highest)
                  + field(4, struct.pack("<Q", time.time_ns())) + field(5, os.urandom(32))))
        end = time.time() + deadline
        self.raw = True
        while nonce not in self.inbox:
            self.step(end)
        del self.inbox[: self.inbox.index(nonce) + 16]
        self.raw = False
        self.parse()
        kind, payload = self.wait_control(end)
        assert kind == HELLO_OK, kind
        return parse_fields(payload)

    def wait_control(self, end):
        while not self.control:
            self.step(end)
        return self.control.pop(0)

    def ping(self, payload=b"ping", deadline=10):
        self.send(frame(PING, 0, payload))
        return self.wait_control(time.time() + deadline) == (PONG, payload)

    raw = False

    def step(self, end):
        """Moves bytes once, in both directions."""
        left = end - time.time()
        if left <= 0:
            raise TimeoutError("the agent did not answer in time")
        readable, writable, _ = select.select([self.sock], [self.sock] if self.outbox else [], [], left)
        if writable:
            sent = self.sock.send(self.outbox[:262144])
            del self.outbox[:sent]
        if readable:
            data = self.sock.recv(1 << 20)
            if not data:
                self.closed = True
                raise ConnectionError("the agent closed the link")
            self.inbox += data
            if not self.raw:
                self.parse()

    def parse(self):
        at = 0
        view = self.inbox
        while len(view) - at >= 12:
            assert view[at : at + 2] == b"\xba\x6e", f"not a frame: {bytes(view[at:at + 32])!r}"
            kind, stream, channel, length = struct.unpack_from("<BBII", view, at + 2)
            assert length <= 65536
            if len(view) - at < length + 16:
                break
            payload = bytes(view[at + 12 : at + 12 + length])
            assert view[at + 12 + length : at + 16 + length] == b"BNGR"
            at += length + 16
            if channel == 0:
                self.control.append((kind, payload))
            elif channel in self.channels:
                self.channels[channel].take(kind, stream, payload)
        del self.inbox[:at]

    def open(self, operation, body=b"", **options):
        channel = Channel(self, self.next_channel, **options)
        self.next_channel += 1
        self.channels[channel.id] = channel
        self.send(frame(OPEN, channel.id, field(1, operation) + body))
        return channel

    def exec(self, argv, env=(), cwd=None, user=None, tty=None, **options):
        body = b"".join(field(2, a) for a in argv) + b"".join(field(3, e) for e in env)
        body += field(4, cwd) if cwd else b""
        body += field(5, user) if user else b""
        if tty:
            body += field(6, 1) + field(7, tty[0]) + field(8, tty[1])
        return self.open(EXEC, body, **options)

    def run(self, argv, stdin=b"", deadline=20, **options):
        channel = self.exec(argv, **options)
        channel.write(stdin)
        channel.end()
        return channel.wait(deadline)


class Channel:
    def __init__(self, link, ident, auto_credit=True):
        self.link, self.id, self.auto_credit = link, ident, auto_credit
        self.output = {1: bytearray(), 2: bytearray()}
        self.received = {1: 0, 2: 0}
        self.owed = {1: 0, 2: 0}
        self.ended = set()
        self.opened = None
        self.result = None
        self.error = None
        self.credit = WINDOW
        self.pending = bytearray()
        self.end_pending = False
        self.order = []
        self.lost = 0

    def take(self, kind, stream, payload):
        assert not self.finished, f"frame {kind} after the end of channel {self.id}"
        self.order.append(kind)
        if kind == OPENED:
            self.opened = parse_fields(payload)
        elif kind == DATA:
            assert payload and stream not in self.ended
            self.output[stream] += payload
            self.received[stream] += len(payload)
            self.owed[stream] += len(payload)
            assert self.owed[stream] <= WINDOW, "the agent sent beyond its credit"
            if self.auto_credit and self.owed[stream] >= 65536:
                self.grant(stream)
        elif kind == EOF:
            self.ended.add(stream)
        elif kind == CREDIT:
            self.credit += number(payload)
            assert self.credit <= WINDOW
            self.push()
        elif kind == LOST:
            self.lost += number(payload)
        elif kind == RESULT:
            self.result = parse_fields(payload)
        elif kind == ERROR:
            self.error = AgentError(parse_fields(payload))
        else:
            raise AssertionError(f"unexpected frame {kind}")

    @property
    def finished(self):
        return self.result is not None or self.error is not None

    def grant(self, stream):
        self.link.send(frame(CREDIT, self.id, struct.pack("<I", self.owed[stream]), stream))
        self.owed[stream] = 0

    def write(self, data):
        self.pending += data
        self.push()

    def end(self):
        self.end_pending = True
        self.push()

    def push(self):
        at = 0
        while self.credit and at < len(self.pending):
            part = bytes(self.pending[at : at + min(self.credit, 32752)])
            self.link.send(frame(DATA, self.id, part))
            self.credit -= len(part)
            at += len(part)
        del self.pending[:at]
        if self.end_pending and not self.pending:
            self.end_pending = False
            self.link.send(frame(EOF, self.id))

    def close(self):
        self.link.send(frame(CLOSE, self.id))
        del self.link.channels[self.id]

    def signal(self, signum):
        self.link.send(frame(SIGNAL, self.id, struct.pack("<I", signum)))

    def until(self, condition, deadline=20):
        end = time.time() + deadline
        while not condition():
            self.link.step(end)

    def wait(self, deadline=20):
        self.until(lambda: self.finished, deadline)
        if self.error:
            raise self.error
        return self

    @property
    def status(self):
        if 1 in self.result:
            return number(self.result[1][0])
        return 128 + number(self.result[2][0])

    @property
    def stdout(self):
        return bytes(self.output[1])

    @property
    def stderr(self):
        return bytes(self.output[2])


class Agent:
    """An agent process in test mode, on one end of a socket pair."""

    def __init__(self, binary, user=None):
        ours, theirs = socket.socketpair()
        os.set_inheritable(theirs.fileno(), True)
        become = {"user": user, "group": user, "extra_groups": []} if user is not None else {}
        self.process = subprocess.Popen([binary, "--serve-fd", str(theirs.fileno())], pass_fds=[theirs.fileno()],
                                        stderr=subprocess.PIPE, cwd="/", **become)
        theirs.close()
        self.socket = ours
        self.link = Link(ours)

    def __enter__(self):
        self.link.hello()
        return self.link

    def __exit__(self, *exception):
        self.socket.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise AssertionError("the agent did not end with its link")
        finally:
            complaints = self.process.stderr.read().decode(errors="replace")
            self.process.stderr.close()
        assert self.process.returncode == 0, f"the agent ended with {self.process.returncode}: {complaints}"
        assert "Sanitizer" not in complaints and "runtime error" not in complaints, complaints

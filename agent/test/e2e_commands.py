"""Detached commands: they outlive sessions, keep their last output, and any number may watch."""

import os
import re
import signal
import struct
import time

from link import (ATTACH, COMMANDS, REMOVE_COMMAND, RESIZE, SIGNAL_COMMAND, START_COMMAND, WINDOW, Agent, AgentError,
                  field, frame, number, parse_fields)

SCROLLBACK = 256 * 1024


def start(link, argv, stdin=False, tty=None):
    body = b"".join(field(2, word) for word in argv) + field(9, int(stdin))
    if tty:
        body += field(6, 1) + field(7, tty[0]) + field(8, tty[1])
    result = link.open(START_COMMAND, body).wait().result
    assert number(result[1][0]) > 1
    return number(result[2][0])


def attach(link, command, stdin=False, tail=None, after=None, **options):
    body = field(2, command) + field(5, int(stdin))
    body += field(4, tail) if tail is not None else b""
    body += field(3, struct.pack("<Q", after)) if after is not None else b""
    return link.open(ATTACH, body, **options)


def listed(link):
    entries = link.open(COMMANDS).wait().result.get(1, [])
    return {number(entry[1][0]): entry for entry in map(parse_fields, entries)}


def ended(link, command, deadline=20):
    end = time.time() + deadline
    while True:
        entry = listed(link)[command]
        if 13 in entry:
            return parse_fields(entry[13][0])
        assert time.time() < end, "the command did not end"
        time.sleep(0.02)


def send_signal(link, command, signum):
    link.open(SIGNAL_COMMAND, field(2, command) + field(3, signum)).wait()


def code_of(channel):
    try:
        channel.wait()
    except AgentError as error:
        return error.code
    return None


def test_output_and_status(binary):
    with Agent(binary) as link:
        command = start(link, ["sh", "-c", "echo one; sleep 0.1; echo two >&2; sleep 0.1; echo three; exit 7"])
        viewer = attach(link, command).wait()
        assert (viewer.status, viewer.stdout, viewer.stderr) == (7, b"one\nthree\n", b"two\n")
        assert viewer.ended == {1, 2} and number(viewer.opened[2][0]) == 0 and viewer.lost == 0
        again = attach(link, command, tail=1).wait()
        assert (again.status, again.stdout, again.stderr) == (7, b"three\n", b"")
        assert attach(link, command, after=8, tail=99).wait().stdout == b"three\n"
        assert attach(link, command, after=1 << 40).wait().stdout == b""


def test_list(binary):
    with Agent(binary) as link:
        before = time.time() * 1000 - 1000
        first = start(link, ["sleep", "1000"], stdin=True)
        second = start(link, ["sh", "-c", "echo x; kill -9 $$", "y" * 300])
        assert number(ended(link, second)[2][0]) == 9
        entries = listed(link)
        assert list(entries) == [first, second]
        running, done = entries[first], entries[second]
        assert running[2] == [b"sleep", b"1000"] and 12 not in running and number(running[11][0]) == 1
        assert before < number(running[4][0]) < time.time() * 1000 + 1000
        assert done[2][3] == b"y" * 256 and number(done[7][0]) == 1 and number(done[9][0]) == 2
        assert number(done[12][0]) >= number(done[4][0]) and number(done[11][0]) == 0
        send_signal(link, first, signal.SIGTERM)
        assert number(ended(link, first)[2][0]) == signal.SIGTERM


def test_survives_sessions(binary):
    with Agent(binary) as link:
        command = start(link, ["sh", "-c", "echo before; read line; echo got $line; exit 3"], stdin=True)
        watching = attach(link, command)
        watching.until(lambda: watching.stdout == b"before\n")
        for _ in range(3):
            link.hello()
        time.sleep(2.5)  # longer than a command of a session is given after SIGHUP
        viewer = attach(link, command, stdin=True)
        viewer.until(lambda: viewer.stdout == b"before\n")
        viewer.write(b"it\n")
        viewer.wait()
        assert (viewer.status, viewer.stdout) == (3, b"before\ngot it\n")


def test_refusals(binary):
    with Agent(binary) as link:
        assert code_of(link.open(START_COMMAND, field(2, "no-such-program"))) == "NOT_FOUND"
        assert code_of(link.open(START_COMMAND, field(2, "/etc/passwd"))) == "DENIED"
        assert code_of(link.open(START_COMMAND)) == "INVALID"
        assert listed(link) == {}
        command = start(link, ["sleep", "1000"])
        for operation in (ATTACH, SIGNAL_COMMAND, REMOVE_COMMAND):
            assert code_of(link.open(operation, field(2, 99) + field(3, 9))) == "NOT_FOUND"
        assert code_of(link.open(REMOVE_COMMAND, field(2, command))) == "BUSY"
        assert code_of(link.open(SIGNAL_COMMAND, field(2, command) + field(3, 65))) == "INVALID"
        send_signal(link, command, 9)
        ended(link, command)
        assert code_of(link.open(SIGNAL_COMMAND, field(2, command) + field(3, 9))) == "REFUSED"
        link.open(REMOVE_COMMAND, field(2, command)).wait()
        assert listed(link) == {} and code_of(attach(link, command)) == "NOT_FOUND"


def test_input(binary):
    with Agent(binary) as link:
        closed = start(link, ["cat"])
        assert number(ended(link, closed)[1][0]) == 0, "without stdin there is an end of file at once"
        command = start(link, ["cat"], stdin=True)
        data = os.urandom(3 << 20)
        silent = attach(link, command)
        silent.write(b"this goes nowhere")
        typing, other = attach(link, command, stdin=True), attach(link, command, stdin=True)
        typing.write(data)
        other.until(lambda: other.received[1] + other.lost == len(data), 60)
        typing.end()
        for viewer in (typing, other, silent):
            viewer.wait()
            assert viewer.status == 0 and viewer.received[1] + viewer.lost == len(data)
            assert data.endswith(viewer.stdout[-1000:])


def test_slow_viewer(binary):
    def told_of(viewer):  # it may have come when some was forgotten already
        return number(viewer.opened[2][0]) + viewer.received[1] + viewer.lost

    with Agent(binary) as link:
        command = start(link, ["sh", "-c", "head -c 20000000 /dev/zero | tr '\\0' x; echo; echo end"])
        slow = attach(link, command, auto_credit=False)
        quick = attach(link, command)
        slow.until(lambda: slow.received[1] == WINDOW)
        lost = slow.lost  # on a busy host; from here on it has no credit, and gets neither bytes nor news of those it misses
        quick.wait(60)
        assert quick.status == 0 and quick.stdout.endswith(b"x\nend\n")
        assert told_of(quick) == 20000005
        assert not slow.finished and slow.received[1] == WINDOW and slow.lost == lost
        slow.auto_credit = True
        slow.grant(1)
        slow.wait()
        assert slow.status == 0 and slow.stdout.endswith(b"x\nend\n")
        assert slow.lost > 0 and told_of(slow) == 20000005


def test_scrollback_is_bounded(binary):
    with Agent(binary) as link:
        command = start(link, ["sh", "-c", "seq 1 200000; seq 1 10 >&2"])
        ended(link, command)
        viewer = attach(link, command).wait()
        everything = "".join(f"{i}\n" for i in range(1, 200001)).encode()
        offset = number(viewer.opened[2][0])
        kept = len(viewer.stdout) + len(viewer.stderr)
        assert kept == SCROLLBACK and offset == len(everything) + 21 - kept
        assert everything.endswith(viewer.stdout) and viewer.stderr == b"1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n"


# Not the shell: its `read` ends when a signal comes that has a trap.
ON_A_TERMINAL = """
import fcntl, os, signal, struct, sys, termios
def tell_size(*_):
    rows, columns, *_ = struct.unpack('HHHH', fcntl.ioctl(0, termios.TIOCGWINSZ, bytes(8)))
    os.write(1, b'%d %d\\n' % (rows, columns))
modes = termios.tcgetattr(0)
modes[3] &= ~termios.ECHO
termios.tcsetattr(0, termios.TCSANOW, modes)
signal.signal(signal.SIGWINCH, tell_size)
os.write(1, b'ready\\n')
for line in iter(sys.stdin.readline, ''):
    os.write(1, b'<%s>\\n' % line.strip().encode())
os.write(1, b'bye\\n')
"""


def test_terminal(binary):
    with Agent(binary) as link:
        command = start(link, ["python3", "-c", ON_A_TERMINAL], tty=(30, 90))
        first, watcher, second = attach(link, command, stdin=True), attach(link, command), attach(link, command, stdin=True)
        first.until(lambda: first.stdout == b"ready\r\n")
        size = struct.Struct("<HH")
        link.send(frame(RESIZE, watcher.id, size.pack(1, 1)))
        link.send(frame(RESIZE, first.id, size.pack(11, 22)))  # no newer one has a size yet
        first.write(b"a\n")
        first.until(lambda: b"<a>" in first.stdout)
        link.send(frame(RESIZE, second.id, size.pack(33, 44)))
        link.send(frame(RESIZE, first.id, size.pack(55, 66)))
        second.write(b"b\n")
        first.until(lambda: b"<b>" in first.stdout and b"33 44" in first.stdout)
        assert b"55 66" not in first.stdout and b"1 1\r" not in first.stdout and b"11 22" in first.stdout
        second.close()
        first.until(lambda: b"55 66" in first.stdout)
        first.end()
        for viewer in (first, watcher):
            assert viewer.wait().status == 0 and viewer.stdout.endswith(b"bye\r\n")
        assert number(first.opened[3][0]) == 1 and number(watcher.opened[4][0]) == 1


def test_many(binary):
    with Agent(binary) as link:
        quick = [start(link, ["true"]) for _ in range(70)]
        ended(link, quick[-1])
        assert len(listed(link)) <= 64 and quick[0] not in listed(link) and quick[-1] in listed(link)
        running = [start(link, ["sleep", "1000"]) for _ in range(64)]
        assert list(listed(link)) == running
        assert code_of(link.open(START_COMMAND, field(2, "true"))) == "TOO_MANY"
        viewers = [attach(link, command) for command in running]
        for command in running:
            send_signal(link, command, 15)
        for viewer in viewers:
            assert viewer.wait().status == 143
        start(link, ["true"])


def test_removed_while_watched(binary):
    with Agent(binary) as link:
        command = start(link, ["sh", "-c", "head -c 400000 /dev/zero"])
        ended(link, command)
        viewer = attach(link, command, auto_credit=False)
        viewer.until(lambda: viewer.received[1] > 0)
        link.open(REMOVE_COMMAND, field(2, command)).wait()
        assert listed(link) == {}
        viewer.auto_credit = True
        viewer.grant(1)
        assert viewer.wait().received[1] == SCROLLBACK


def test_cancelled_start_leaves_nothing(binary):
    with Agent(binary) as link:
        for _ in range(20):
            channel = link.open(START_COMMAND, field(2, "sleep") + field(2, "1000"))
            channel.close()
        assert link.ping()
        end = time.time() + 10
        while any(13 not in entry for entry in listed(link).values()):
            assert time.time() < end, "a command that nobody knows of runs"
            time.sleep(0.05)


def test_left_child_holds_the_output(binary):
    with Agent(binary) as link:
        command = start(link, ["sh", "-c", "sleep 3 & echo out"])
        began = time.time()
        assert attach(link, command).wait().stdout == b"out\n"
        assert time.time() - began < 2


def test_end_with_the_agent(binary):
    with Agent(binary) as link:
        command = start(link, ["sh", "-c", "echo $$; exec sleep 1000"])
        viewer = attach(link, command)
        viewer.until(lambda: re.fullmatch(rb"\d+\n", viewer.stdout))
        pid = int(viewer.stdout)
    assert not os.path.exists(f"/proc/{pid}")


def test_input_that_nobody_reads_any_more(binary):
    with Agent(binary) as link:
        command = start(link, ["sh", "-c", "exec <&-; sleep 1; echo end"], stdin=True)
        first, second = attach(link, command, stdin=True), attach(link, command, stdin=True)
        first.write(os.urandom(2 << 20))
        second.write(os.urandom(2 << 20))
        for viewer in (first, second):
            viewer.until(lambda viewer=viewer: not viewer.pending)
            assert viewer.wait().stdout == b"end\n"

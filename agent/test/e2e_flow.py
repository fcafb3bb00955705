"""Bytes in quantity, and what one channel may do to another."""

import hashlib
import os
import time

from link import DATA, EOF, WINDOW, Agent, frame, number, spare_of


def test_binary_echo_of_64_mib(binary):
    data = os.urandom(1 << 20) * 64
    with Agent(binary) as link:
        started = time.time()
        done = link.run(["cat"], data, deadline=120)
        took = time.time() - started
        assert done.status == 0 and hashlib.sha256(done.stdout).digest() == hashlib.sha256(data).digest()
    return f" {64 / took:.0f} MiB/s"


def test_stdout_and_stderr_apart(binary):
    script = "head -c 3000000 /dev/zero | tr '\\0' o; head -c 2000000 /dev/zero | tr '\\0' e >&2"
    with Agent(binary) as link:
        done = link.run(["sh", "-c", f"({script}) & ({script}); wait"], deadline=60)
        assert done.stdout == b"o" * 6000000 and done.stderr == b"e" * 4000000


def test_a_slow_reader_blocks_nobody(binary):
    with Agent(binary) as link:
        slow = link.exec(["cat", "/dev/zero"], auto_credit=False)
        slow.until(lambda: slow.received[1] == WINDOW)
        also = link.exec(["sh", "-c", "yes >&2"], auto_credit=False)
        also.until(lambda: also.received[2] == WINDOW)
        data = os.urandom(5 << 20)
        for _ in range(3):
            assert link.run(["cat"], data).stdout == data and link.ping()
        assert slow.received[1] == WINDOW and also.received[2] == WINDOW
        slow.owed[1] = 1000
        slow.grant(1)
        slow.until(lambda: slow.received[1] == WINDOW + 1000)
        slow.close()
        also.close()


def test_a_slow_writer_blocks_nobody(binary):
    with Agent(binary) as link:
        stuck = link.exec(["sleep", "1000"])
        stuck.write(bytes(10 * WINDOW))
        data = os.urandom(5 << 20)
        assert link.run(["cat"], data).stdout == data
        assert len(stuck.pending) >= 8 * WINDOW  # a window here, a pipe there, no more
        stuck.close()


def test_exceeding_the_window(binary):
    with Agent(binary) as link:
        greedy = link.exec(["sleep", "1000"])
        greedy.until(lambda: greedy.opened)
        pid = number(greedy.opened[1][0])
        greedy.credit -= 40 * 32752
        for _ in range(40):
            link.send(frame(DATA, greedy.id, bytes(32752)))
        greedy.until(lambda: greedy.finished)
        assert greedy.error.code == "FLOW" and link.ping()
        end = time.time() + 5
        while os.path.exists(f"/proc/{pid}"):
            assert time.time() < end
            time.sleep(0.02)
        after = link.exec(["cat"])
        link.send(frame(EOF, after.id) + frame(DATA, after.id, b"too late"))
        after.until(lambda: after.finished)
        assert after.error.code == "FLOW"


def test_output_is_kept_for_a_late_reader(binary):
    with Agent(binary) as link:
        done = link.exec(["sh", "-c", "head -c 400000 /dev/zero; exit 9"], auto_credit=False)
        done.until(lambda: done.received[1] == WINDOW)
        time.sleep(1)  # longer than the silence after which a channel ends
        link.ping()
        assert not done.finished
        done.grant(1)
        assert done.wait().status == 9 and done.received[1] == 400000


def test_stdin_of_a_command_that_does_not_read(binary):
    with Agent(binary) as link:
        done = link.exec(["sh", "-c", "exec 0<&-; sleep 0.3; echo done"])
        done.write(bytes(4 * WINDOW))
        done.end()
        done.until(lambda: done.finished and not done.pending or done.finished)
        assert done.status == 0 and done.stdout == b"done\n"


def test_zombies_and_noise(binary):
    with Agent(binary) as link:
        noise = link.exec(["sh", "-c", "while :; do (:) & done"])
        yes = link.exec(["sh", "-c", "yes & yes >&2 & wait"])

        def flows_on():
            before = dict(yes.received)
            yes.until(lambda: all(yes.received[stream] > before[stream] + WINDOW for stream in (1, 2)))

        flows_on()
        for i in range(20):
            assert link.run(["echo", str(i)]).stdout == f"{i}\n".encode()
        flows_on()
        assert not noise.finished and not yes.finished
        noise.close()
        yes.close()


def test_memory_does_not_grow(binary):
    if "sanitized" in binary:
        return " (real build only)"
    agent = Agent(binary)
    with agent as link:
        def resident():
            status = open(f"/proc/{agent.process.pid}/status").read()
            return int(status.split("VmRSS:")[1].split()[0])
        for _ in range(50):
            link.run(["echo", "x"])
        def open_files():
            spare_of(agent.process.pid)  # has some too
            return len(os.listdir(f"/proc/{agent.process.pid}/fd"))
        before, files = resident(), open_files()
        for _ in range(500):
            link.run(["echo", "x"])
        assert resident() - before < 64 and open_files() == files
        return f" {resident()} KiB"

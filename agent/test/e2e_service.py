"""The supervised service: start, restart, stop, and what the console gets."""

import os
import re
import tempfile
import threading
import time

from link import (SERVICE_DEFINE, SERVICE_START, SERVICE_STATUS, SERVICE_STOP, Agent, children_of, field, number,
                  parse_fields, spare_of)

NO, ON_FAILURE, ALWAYS = range(3)


def fields_of(argv, env=(), cwd=None, user=None, restart=NO, stop_signal=15, grace=5000, replace=False):
    body = b"".join(field(2, word) for word in argv) + b"".join(field(3, entry) for entry in env)
    body += field(4, cwd) if cwd else b""
    body += field(5, user) if user else b""
    return body + field(10, stop_signal) + field(11, restart) + field(12, grace) + field(13, int(replace))


class Status:
    def __init__(self, fields):
        self.state = fields[1][0].decode() if 1 in fields else None
        self.pid = number(fields[2][0]) if 2 in fields else None
        self.starts = number(fields[3][0]) if 3 in fields else None
        end = parse_fields(fields[6][0]) if 6 in fields else {}
        self.exit_status = number(end[1][0]) if 1 in end else None
        self.signal = number(end[2][0]) if 2 in end else None
        failure = parse_fields(fields[7][0]) if 7 in fields else {}
        self.failure = failure[1][0].decode() if failure else None
        self.message = failure[2][0].decode() if failure else None
        self.restart_in = number(fields[8][0]) if 8 in fields else None


def ask(link, operation, body=b"", deadline=20):
    return Status(link.open(operation, body).wait(deadline).result)


def define(link, argv, **options):
    return ask(link, SERVICE_DEFINE, fields_of(argv, **options))


def until(link, condition, deadline=20):
    end = time.time() + deadline
    while True:
        status = ask(link, SERVICE_STATUS)
        if condition(status):
            return status
        assert time.time() < end, vars(status)
        time.sleep(0.02)


class Console:
    """An agent in test mode, whose console is its standard error."""

    def __init__(self, binary):
        self.agent = Agent(binary)
        self.text = bytearray()

    def __enter__(self):
        source = self.agent.process.stderr

        def read():
            while data := os.read(source.fileno(), 1 << 16):
                self.text += data

        self.reader = threading.Thread(target=read, daemon=True)
        self.reader.start()
        self.link = self.agent.__enter__()
        return self

    def __exit__(self, *exception):
        self.agent.socket.close()
        assert self.agent.process.wait(10) == 0
        self.reader.join(10)
        assert not self.reader.is_alive(), "something still holds the console"
        self.agent.process.stderr.close()
        assert b"Sanitizer" not in self.text and b"runtime error" not in self.text, self.text.decode(errors="replace")

    def wait_for(self, pattern, deadline=20):
        end = time.time() + deadline
        while not (found := re.search(pattern, self.text)):
            assert time.time() < end, f"{pattern} is not in {bytes(self.text)!r}"
            time.sleep(0.02)
        return found


def test_service_lifecycle(binary):
    with Console(binary) as console:
        link = console.link
        assert ask(link, SERVICE_STATUS).state is None
        argv = ["sh", "-c", "echo begun; echo wrong >&2; trap 'echo asked; exit 7' TERM; while :; do sleep 0.05; done"]
        assert define(link, argv).state in ("starting", "running")
        console.wait_for(rb"begun\nwrong\n")
        running = until(link, lambda status: status.state == "running")
        assert running.pid and running.starts == 1
        assert define(link, argv, replace=True).pid == running.pid  # the same one: nothing happens
        stopped = ask(link, SERVICE_STOP)
        assert (stopped.state, stopped.exit_status, stopped.pid) == ("stopped", 7, None)
        console.wait_for(rb"asked\n")
        assert define(link, argv).state == "stopped"
        assert ask(link, SERVICE_START).state in ("starting", "running")
        assert until(link, lambda status: status.state == "running").starts == 2
        assert ask(link, SERVICE_STOP).state == "stopped"
        assert ask(link, SERVICE_STOP).state == "stopped"


def test_service_outlives_the_session_and_ends_with_the_agent(binary):
    with Console(binary) as console:
        link = console.link
        define(link, ["sleep", "1000"])
        pid = until(link, lambda status: status.state == "running").pid
        link.hello()
        assert until(link, lambda status: True).pid == pid
    assert not os.path.exists(f"/proc/{pid}")


def test_service_restart_policies(binary):
    with Console(binary) as console:
        link = console.link
        define(link, ["sh", "-c", "exit 3"])
        assert until(link, lambda status: status.state == "exited").exit_status == 3
        define(link, ["sh", "-c", "exit 0"], restart=ON_FAILURE, replace=True)
        once = until(link, lambda status: status.state == "exited")
        assert (once.exit_status, once.starts) == (0, 1)
        define(link, ["sh", "-c", "kill -9 $$"], restart=ON_FAILURE, replace=True)
        began = time.time()
        again = until(link, lambda status: status.starts == 4)
        assert again.signal == 9
        assert 0.1 + 0.2 + 0.4 <= time.time() - began < 5
        waiting = until(link, lambda status: status.state == "backoff")
        assert 0 <= waiting.restart_in <= 800
        define(link, ["true"], restart=ALWAYS, replace=True)
        assert until(link, lambda status: status.starts == 2).exit_status == 0
        console.wait_for(rb"banger-agent: signal 9 ended the service; it is started again in 100 ms\n")
        assert ask(link, SERVICE_STOP).state == "stopped"
        starts = ask(link, SERVICE_STATUS).starts
        time.sleep(0.6)
        assert ask(link, SERVICE_STATUS).starts == starts


def test_service_that_cannot_start(binary):
    with Console(binary) as console, tempfile.TemporaryDirectory() as folder:
        link = console.link
        os.chmod(folder, 0o755)
        plain, text = f"{folder}/plain", f"{folder}/text"
        for path, mode in ((plain, 0o644), (text, 0o755)):
            with open(path, "wb") as file:
                file.write(b"no program\n")
            os.chmod(path, mode)
        cases = [(["no-such-program"], {}, "NOT_FOUND"), ([plain], {}, "DENIED"), ([text], {}, "INVALID"),
                 (["true"], {"user": "nobody-knows-me"}, "NOT_FOUND"), (["true"], {"user": "root:no-such-group"}, "NOT_FOUND"),
                 (["true"], {"cwd": "/proc/none"}, "NOT_FOUND")]
        for argv, options, code in cases:
            define(link, argv, restart=ALWAYS, replace=True, **options)
            status = until(link, lambda status: status.state == "failed")
            assert (status.failure, status.starts) == (code, 0), vars(status)
        console.wait_for(rb'banger-agent: cannot start the service: Cannot run "no-such-program": No such file')
        time.sleep(0.3)
        assert ask(link, SERVICE_STATUS).state == "failed"
        assert ask(link, SERVICE_STOP).state == "failed"


def test_service_refusals(binary):
    with Console(binary) as console:
        link = console.link

        def code_of(operation, body=b""):
            channel = link.open(operation, body)
            channel.until(lambda: channel.finished)
            return channel.error and channel.error.code

        assert code_of(SERVICE_STOP) == "NOT_FOUND" and code_of(SERVICE_START) == "NOT_FOUND"
        assert code_of(SERVICE_DEFINE, fields_of([])) == "INVALID"
        assert code_of(SERVICE_DEFINE, fields_of(["true"], stop_signal=65)) == "INVALID"
        assert code_of(SERVICE_DEFINE, fields_of(["true"], restart=3)) == "INVALID"
        assert ask(link, SERVICE_STATUS).state is None
        define(link, ["sleep", "1000"])
        assert code_of(SERVICE_DEFINE, fields_of(["sleep", "999"])) == "EXISTS"
        assert until(link, lambda status: status.state == "running").starts == 1


def test_service_replaced(binary):
    with Console(binary) as console:
        link = console.link
        define(link, ["sh", "-c", "trap 'sleep 0.5; echo old ends; exit 9' TERM; echo old; while :; do sleep 0.05; done"])
        console.wait_for(rb"old\n")
        assert define(link, ["sh", "-c", "echo new; exec sleep 1000"], replace=True).state == "stopping"
        console.wait_for(rb"old ends\nnew\n")
        status = until(link, lambda status: status.state == "running")
        assert (status.starts, status.exit_status) == (1, None)


def test_service_stop_signal_and_grace(binary):
    with Console(binary) as console:
        link = console.link
        define(link, ["sh", "-c", "trap '' TERM; trap 'exit 4' QUIT; echo up; while :; do sleep 0.05; done"], stop_signal=3)
        console.wait_for(rb"up\n")
        assert ask(link, SERVICE_STOP).exit_status == 4
        stubborn = "trap '' TERM; (trap '' TERM; echo child $$; exec sleep 1000) & while :; do sleep 0.05; done"
        define(link, ["sh", "-c", stubborn], grace=300, replace=True)
        console.wait_for(rb"child \d+\n")
        pid = until(link, lambda status: status.state == "running").pid
        began = time.time()
        stopped = ask(link, SERVICE_STOP)
        assert stopped.signal == 9 and 0.3 <= time.time() - began < 3
        time.sleep(0.1)
        left = [name for name in os.listdir("/proc") if name.isdigit() and group_of(name) == pid]
        assert not left, left


def group_of(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            fields = file.read().rpartition(")")[2].split()
            return int(fields[2]) if fields[0] != "Z" else None
    except (FileNotFoundError, ProcessLookupError):
        return None


def test_service_environment(binary):
    with Console(binary) as console, tempfile.TemporaryDirectory() as folder:
        link = console.link
        os.chmod(folder, 0o777)
        cwd = f"{folder}/made/for/it"
        define(link, ["sh", "-c", "env; pwd; umask; ls -l /proc/self/fd | wc -l; test -t 1 || echo no terminal; cat; echo done"],
               env=["A=1", "B=x=y", "A=2"], cwd=cwd)
        console.wait_for(rb"done\n")
        lines = console.text.decode().splitlines()
        for expected in ("A=2", "B=x=y", cwd, "0022", "no terminal",
                         "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"):
            assert expected in lines, (expected, lines)
        names = {line.partition("=")[0] for line in lines if "=" in line}
        assert not names & {"USER", "LOGNAME", "SHELL", "TERM"}, names
        define(link, ["sh", "-c", "echo path $PATH"], env=["PATH=/bin"], replace=True)
        console.wait_for(rb"path /bin\n")
        define(link, ["ls"], env=["PATH=/nowhere"], replace=True)
        assert until(link, lambda status: status.state == "failed").failure == "NOT_FOUND"


def test_service_users(binary):
    if os.geteuid() != 0:
        return " skipped: needs root"
    with Console(binary) as console:
        link = console.link
        show = "echo $(id -u):$(id -g) home $HOME; echo by name > /dev/stdout"
        for user, expected in (("nobody", rb"65534:65534 home /nonexistent"), ("4242", rb"4242:0 home /"),
                               ("4242:17", rb"4242:17 home /"), ("nobody:root", rb"65534:0 home /nonexistent"),
                               (None, rb"0:0 home /root")):
            del console.text[:]
            define(link, ["sh", "-c", show], user=user, replace=True)
            console.wait_for(expected + rb"\nby name\n")


def test_service_that_floods(binary):
    with Console(binary) as console:
        link = console.link
        define(link, ["sh", "-c", "yes 0123456789 | head -c 20000000; echo; echo all of it"])
        until(link, lambda status: status.state == "exited", 60)
        console.wait_for(rb"all of it\n$", 60)
        assert len(console.text) == 20000000 + 1 + len("all of it\n")


def test_service_output_without_a_reader(binary):
    """The console takes nothing: the service waits, the agent does not."""
    with Agent(binary) as link:
        define(link, ["sh", "-c", "while :; do echo 0123456789012345678901234567890123456789; done"])
        until(link, lambda status: status.state == "running")
        time.sleep(0.5)
        for _ in range(20):
            assert link.ping()
        assert link.run(["true"]).status == 0
        stopped = ask(link, SERVICE_STOP)
        assert stopped.state == "stopped" and stopped.signal == 15
        define(link, ["sh", "-c", "exit 5"], restart=ALWAYS, replace=True)  # its lines have no room, and nobody waits
        until(link, lambda status: status.starts >= 2)
        ask(link, SERVICE_STOP)


def test_service_console_process_is_replaced(binary):
    with Console(binary) as console:
        link = console.link
        spare = spare_of(console.agent.process.pid)
        define(link, ["sh", "-c", "while :; do echo tick; sleep 0.05; done"])
        console.wait_for(rb"tick\n")
        service = until(link, lambda status: status.state == "running").pid
        carriers = [pid for pid in children_of(console.agent.process.pid) if pid not in (service, spare)]
        assert len(carriers) == 1, carriers
        os.kill(carriers[0], 9)
        time.sleep(0.2)
        del console.text[:]
        console.wait_for(rb"tick\ntick\n")
        assert ask(link, SERVICE_STATUS).pid == service

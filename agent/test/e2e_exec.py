"""Commands: status, signals, environment, users, terminals."""

import os
import pwd
import signal
import struct
import tempfile
import time

from link import (EXEC, OPENED, RESIZE, RESULT, Agent, AgentError, children_of, field, frame, number, process_stat,
                  spare_of)


def refused(link, code, argv, **options):
    try:
        link.run(argv, **options)
    except AgentError as error:
        assert error.code == code, error
        return error
    raise AssertionError(f"{argv} was not refused")


def test_status_and_order(binary):
    with Agent(binary) as link:
        for status in (0, 1, 7, 126, 127, 255):
            done = link.run(["sh", "-c", f"echo out; echo err >&2; exit {status}"])
            assert (done.status, done.stdout, done.stderr) == (status, b"out\n", b"err\n")
            assert done.order[0] == OPENED and done.order[-1] == RESULT and done.ended == {1, 2}
            assert number(done.opened[1][0]) > 1


def test_signals(binary):
    with Agent(binary) as link:
        done = link.run(["sh", "-c", "kill -9 $$"])
        assert done.status == 137 and number(done.result[2][0]) == 9 and 1 not in done.result
        done = link.run(["sh", "-c", "ulimit -c 0; kill -SEGV $$"])
        assert done.status == 139
        child = link.exec(["sh", "-c", "sleep 1000 & wait"])
        child.until(lambda: child.opened)
        child.signal(signal.SIGTERM)  # to the whole group: the sleep must not keep the outputs open
        assert child.wait().status == 143
        child = link.exec(["sh", "-c", "trap 'echo got; exit 4' USR1; echo ready; while :; do sleep 0.05; done"])
        child.until(lambda: child.stdout == b"ready\n")
        child.signal(999)
        child.signal(signal.SIGUSR1)
        assert child.wait().status == 4 and child.stdout == b"ready\ngot\n"


def test_clean_process(binary):
    with Agent(binary) as link:
        done = link.run(["sh", "-c", "ls /proc/self/fd; umask; grep -E 'SigBlk|SigIgn' /proc/self/status; ulimit -n; "
                         "cat /proc/self/oom_score_adj; cut -d' ' -f5,6 /proc/$$/stat; echo $$"])
        lines = done.stdout.decode().split("\n")
        assert lines[:4] == ["0", "1", "2", "3"], lines  # 3 is ls reading the folder
        assert lines[4] == "0022"
        assert int(lines[5].split()[1], 16) == 0, lines[5]
        assert lines[7] == str(__import__("resource").getrlimit(__import__("resource").RLIMIT_NOFILE)[0])
        assert lines[8] == open("/proc/self/oom_score_adj").read().strip()
        group, session, pid = *lines[9].split(), lines[10]
        assert group == session == pid


def test_environment(binary):
    me = pwd.getpwuid(os.geteuid())
    with Agent(binary) as link:
        env = dict(line.split("=", 1) for line in link.run(["env"]).stdout.decode().splitlines())
        assert env["PATH"] == "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        assert (env["HOME"], env["USER"], env["LOGNAME"], env["SHELL"]) == (me.pw_dir, me.pw_name, me.pw_name, me.pw_shell)
        assert "TERM" not in env
        env = link.run(["env"], env=["A=1", "A=2", "HOME=/h", "EMPTY=", "bad", "=bad", "X=a=b\nc"]).stdout.decode()
        assert "A=2\n" in env and "A=1" not in env and "HOME=/h\n" in env and "EMPTY=\n" in env and "X=a=b\nc\n" in env
        assert "bad" not in env


def test_path_and_folder(binary):
    with tempfile.TemporaryDirectory() as folder, Agent(binary) as link:
        script = f"{folder}/tool"
        with open(script, "w") as file:
            file.write("#!/bin/sh\nprintf 'tool %s ' $PWD; printf '<%s>' \"$@\"; echo\n")
        refused(link, "NOT_FOUND", ["tool"])
        refused(link, "DENIED", ["tool"], env=[f"PATH={folder}"])
        os.chmod(script, 0o755)
        done = link.run(["tool", "a b", ""], env=[f"PATH=/nonexistent:{folder}:/bin"], cwd="/usr")
        assert done.stdout == b"tool /usr <a b><>\n"
        home = pwd.getpwuid(os.geteuid()).pw_dir
        assert link.run(["pwd"]).stdout.decode().strip() == (os.path.realpath(home) if os.path.isdir(home) else "/")
        refused(link, "NOT_FOUND", ["true"], cwd="/nonexistent")
        refused(link, "NOT_FOUND", [script], cwd="/etc/passwd")
        refused(link, "NOT_FOUND", ["/nonexistent"])
        refused(link, "NOT_FOUND", [""])
        refused(link, "DENIED", ["/etc"])
        refused(link, "INVALID", [])
        refused(link, "INVALID", ["a\0b"])
        with open(script, "w") as file:
            file.write("\x7fELF not really")
        refused(link, "INVALID", [script])
        assert link.ping()


def test_users(binary):
    if os.geteuid() != 0:
        with Agent(binary) as link:
            refused(link, "DENIED", ["id"], user="root")
            assert link.run(["id", "-u"], user=str(os.geteuid())).stdout.decode().strip() == str(os.geteuid())
        return " (as an ordinary user)"
    with Agent(binary) as link:
        done = link.run(["sh", "-c", "id -u; id -g; id -G; echo $HOME $USER; pwd"], user="nobody")
        entry = pwd.getpwnam("nobody")
        uid, gid, groups, rest, cwd = done.stdout.decode().split("\n")[:5]
        assert (int(uid), int(gid), groups) == (entry.pw_uid, entry.pw_gid, str(entry.pw_gid))
        assert rest == f"{entry.pw_dir} nobody" and cwd == "/"
        assert link.run(["id", "-u"], user="4711").stdout == b"4711\n"
        assert link.run(["sh", "-c", "id -u; id -g"], user="4711:55").stdout == b"4711\n55\n"
        assert link.run(["id", "-gn"], user="nobody:daemon").stdout == b"daemon\n"
        refused(link, "NOT_FOUND", ["id"], user="nosuchuser")
        refused(link, "NOT_FOUND", ["id"], user="root:nosuchgroup")
        refused(link, "DENIED", ["ls"], user="nobody", cwd="/proc/1/fd")
    with Agent(binary, user=4711) as link:
        refused(link, "DENIED", ["id"], user="root")
        assert link.run(["id", "-u"]).stdout == b"4711\n"
        assert link.run(["id", "-u"], user="4711").stdout == b"4711\n"


def test_left_behind_child(binary):
    with Agent(binary) as link:
        started = time.time()
        done = link.run(["sh", "-c", "sleep 1000 & echo $!"])
        assert done.status == 0 and 0.2 < time.time() - started < 2 and done.ended == {1, 2}
        left = int(done.stdout)
        os.kill(left, signal.SIGKILL)  # it was left alone
        started = time.time()
        done = link.run(["sh", "-c", "(for i in 1 2 3 4 5; do sleep 0.15; echo $i; done) & exit 3"])
        assert done.status == 3 and done.stdout == b"1\n2\n3\n4\n5\n"


def test_close_hangs_up_and_kills(binary):
    with Agent(binary) as link:
        polite = link.exec(["sh", "-c", "sleep 1000"])
        stubborn = link.exec(["sh", "-c", "trap '' HUP; echo ready; while :; do sleep 0.1; done"])
        polite.until(lambda: polite.opened and stubborn.stdout == b"ready\n")
        pids = [number(channel.opened[1][0]) for channel in (polite, stubborn)]
        polite.close()
        stubborn.close()
        link.ping()
        time.sleep(0.5)
        assert not os.path.exists(f"/proc/{pids[0]}") and os.path.exists(f"/proc/{pids[1]}")
        time.sleep(2.0)
        assert not os.path.exists(f"/proc/{pids[1]}")


def test_terminal(binary):
    with Agent(binary) as link:
        done = link.run(["sh", "-c", "test -t 0 -a -t 1 -a -t 2 && stty size && echo $TERM; tty; exit 5"], tty=(33, 101))
        assert done.status == 5 and done.stdout.startswith(b"33 101\r\nxterm-256color\r\n/dev/pts/"), done.stdout
        assert done.ended == {1}
        shell = link.exec(["sh", "-c", "echo ready; read a; echo got $a; stty size; read b || echo eof"], tty=(24, 80))
        shell.until(lambda: b"ready" in shell.stdout)
        link.send(frame(RESIZE, shell.id, struct.pack("<HH", 50, 132)))
        shell.write(b"hello\n")
        shell.until(lambda: b"got hello" in shell.stdout and b"50 132" in shell.stdout)
        shell.end()
        assert shell.wait().status == 0 and b"eof" in shell.stdout


def test_terminal_foreground_and_hangup(binary):
    with Agent(binary) as link:
        script = "trap 'echo not for the shell' USR1; set -m; sh -c 'echo ready; exec sleep 1000'; echo after $?"
        shell = link.exec(["sh", "-c", script], tty=(24, 80))
        shell.until(lambda: b"ready" in shell.stdout)
        shell.signal(signal.SIGUSR1)
        assert shell.wait().status == 0 and b"after 138" in shell.stdout and b"not for" not in shell.stdout, shell.stdout
        shell = link.exec(["sleep", "1000"], tty=(24, 80))
        shell.until(lambda: shell.opened)
        shell.write(b"\x03")  # through the terminal
        assert shell.wait().status == 130
        shell = link.exec(["sleep", "1000"], tty=(24, 80))
        shell.until(lambda: shell.opened)
        pid = number(shell.opened[1][0])
        shell.close()
        link.ping()
        time.sleep(0.3)
        assert not os.path.exists(f"/proc/{pid}")


def test_many_at_once(binary):
    with Agent(binary) as link:
        channels = [link.exec(["sh", "-c", f"read x; echo {i} $x; exit {i % 250}"]) for i in range(200)]
        for channel in channels:
            channel.write(b"%d\n" % channel.id)
            channel.end()
        for i, channel in enumerate(channels):
            assert channel.wait(60).status == i % 250
            assert channel.stdout == f"{i} {channel.id}\n".encode()


def test_too_many(binary):
    with Agent(binary) as link:
        channels = [link.exec(["cat"]) for _ in range(260)]
        for channel in channels:
            channel.end()
        for channel in channels:
            channel.until(lambda channel=channel: channel.finished, 60)
        refusals = [channel.error.code for channel in channels if channel.error]
        assert refusals and set(refusals) == {"TOO_MANY"} and len(refusals) <= 4, refusals
        assert link.run(["true"]).status == 0


def test_big_arguments(binary):
    with Agent(binary) as link:
        done = link.run(["sh", "-c", 'echo ${#1} $#', "sh", "a" * 40000] + ["b"] * 2000)
        assert done.stdout == b"40000 2001\n"
        assert link.open(EXEC, field(2, b"true") + field(200, b"unknown tags are skipped")).wait().status == 0


def test_spare_child(binary):
    host = Agent(binary)
    with host as link:
        agent = host.process.pid
        for _ in range(3):
            spare = spare_of(agent)
            assert link.run(["sh", "-c", "echo $$"]).stdout == b"%d\n" % spare
        running = link.exec(["sleep", "60"])  # there is another one beside what runs
        running.until(lambda: running.opened)
        assert spare_of(agent, others=[number(running.opened[1][0])])
        long = link.run(["sh", "-c", "echo ${#1}", "sh", "a" * 8000])  # more than a pipe takes at once
        assert long.stdout == b"8000\n"


def test_spare_child_is_killed(binary):
    host = Agent(binary)
    with host as link:
        agent = host.process.pid
        killed = spare_of(agent)
        os.kill(killed, signal.SIGKILL)
        assert spare_of(agent, others=[killed]) and link.run(["true"]).status == 0
        spare = spare_of(agent)
        os.kill(agent, signal.SIGSTOP)  # it cannot know yet when the command arrives
        os.kill(spare, signal.SIGKILL)
        while process_stat(spare)[0] != "Z":
            time.sleep(0.01)
        child = link.exec(["sh", "-c", "exit 7"])
        os.kill(agent, signal.SIGCONT)
        assert child.wait().status == 7

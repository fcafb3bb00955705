"""Runs a program on a pseudo-terminal of 24 x 80 and obeys lines on stdin: 'type TEXT', 'resize ROWS COLUMNS', 'modes', 'hangup', 'signal NAME'.

What the program writes goes to stdout. Ends with its status; the last line says whether the terminal was left in cooked mode.
"""
import fcntl, os, pty, select, signal, struct, sys, termios

def set_size(fd, rows, columns):
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack('HHHH', rows, columns, 0, 0))

def is_cooked(fd):
    return bool(termios.tcgetattr(fd)[3] & termios.ICANON)

master, slave = pty.openpty()
set_size(slave, 24, 80)
pid = os.fork()
if pid == 0:
    os.setsid()
    fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
    for fd in (0, 1, 2):
        os.dup2(slave, fd)
    os.execvp(sys.argv[1], sys.argv[1:])

def say(data):
    os.write(1, data)

def obey(line):
    verb, _, rest = line.partition(' ')
    if verb == 'type':
        os.write(master, rest.encode().decode('unicode_escape').encode())
    elif verb == 'resize':
        rows, columns = map(int, rest.split())
        set_size(master, rows, columns)
    elif verb == 'modes':
        say(b'[cooked]\n' if is_cooked(slave) else b'[raw]\n')
    elif verb == 'signal':
        os.kill(pid, getattr(signal, rest))

commands = b''
status = None
while status is None:
    ready, _, _ = select.select([master, 0], [], [], 0.05)
    if master in ready:
        say(os.read(master, 65536))
    if 0 in ready:
        chunk = os.read(0, 65536)
        if not chunk:
            os.kill(pid, signal.SIGKILL)
        commands += chunk
        *lines, commands = commands.split(b'\n')
        for line in lines:
            obey(line.decode())
    done, code = os.waitpid(pid, os.WNOHANG)
    if done:
        status = os.waitstatus_to_exitcode(code)
while select.select([master], [], [], 0)[0]:
    say(os.read(master, 65536))
say(b'\n[left cooked]\n' if is_cooked(slave) else b'\n[left raw]\n')
sys.exit(status if status >= 0 else 128 - status)

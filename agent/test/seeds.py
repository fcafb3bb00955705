"""Writes the seed corpus of a fuzz target. Usage: seeds.py frame|tar FOLDER"""

import io
import pathlib
import sys
import tarfile

from link import DATA, EXEC, HELLO, OPEN, PING, RESYNC, TCP, field, frame


def frames():
    hello = frame(HELLO, 0, field(1, b"n" * 16) + field(2, 1) + field(3, 1) + field(4, b"12345678") + field(5, b"e" * 32))
    yield hello
    yield frame(PING, 0, b"ping") + bytes(7) + frame(PING)
    yield frame(OPEN, 1, field(1, EXEC) + field(2, "sh") + field(2, "-c") + field(3, "A=b") + field(5, "root"))
    yield frame(OPEN, 2, field(1, TCP) + field(3, 80))
    yield frame(DATA, 1, b"some data" * 40)
    yield frame(DATA, 1, b"cut off")[:15] + RESYNC + hello
    yield frame(DATA, 1, bytes(65536))


def archives():
    for kind in (tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
        for name in ("short", "n" * 150 + "/" + "m" * 90, "\u00e9" * 40):
            item = tarfile.TarInfo(name)
            item.mtime, item.uid, item.linkname = 12345.678, 70000, "target"
            data = item.tobuf(kind)
            yield data
            yield data[512:] + data[:512]
    yield bytes(512) + b"30 mtime=1350244992.023960108\n20 path=some/where\n11 uid=1000\n20 size=8589934593\n"


if __name__ == "__main__":
    for index, data in enumerate(frames() if sys.argv[1] == "frame" else archives()):
        pathlib.Path(sys.argv[2], f"seed-{index}").write_bytes(data)

"""Archives in and out."""

import io
import os
import stat
import tarfile
import tempfile

from link import TAR_IN, TAR_OUT, Agent, AgentError, field, number


def pack_in(link, folder, data, flags=0):
    channel = link.open(TAR_IN, field(2, folder) + field(3, flags))
    channel.write(data)
    channel.end()
    return channel.wait(60)


def pack_out(link, path, names=()):
    return link.open(TAR_OUT, field(2, path) + b"".join(field(3, name) for name in names)).wait(60)


def describe(root):
    found = {}
    for folder, folders, files in os.walk(root):
        for name in folders + files:
            path = os.path.join(folder, name)
            info = os.lstat(path)
            content = None
            if stat.S_ISLNK(info.st_mode):
                content = os.readlink(path)
            elif stat.S_ISREG(info.st_mode):
                content = open(path, "rb").read()
            found[os.path.relpath(path, root)] = (stat.S_IFMT(info.st_mode), stat.S_IMODE(info.st_mode), info.st_uid, info.st_gid,
                                                  info.st_mtime_ns, info.st_nlink if content is not None else 0, content)
    return found


def make_tree(root):
    os.makedirs(f"{root}/a/b/" + "deep/" * 30)
    os.makedirs(f"{root}/" + "long-name-" * 20)
    for i in range(300):
        with open(f"{root}/a/file{i}", "wb") as file:
            file.write(os.urandom(i * 37))
    with open(f"{root}/" + "n" * 255, "wb") as file:
        file.write(b"x" * 3000000)
    open(f"{root}/empty", "w").close()
    open(os.fsencode(f"{root}/") + b"not-utf8-\xff\xfe", "w").close()
    os.symlink("/nowhere/" + "t" * 300, f"{root}/dangling")
    os.link(f"{root}/a/file5", f"{root}/hard")
    os.mkfifo(f"{root}/fifo")
    os.chmod(f"{root}/a/file7", 0o4751)
    os.chmod(f"{root}/a/b", 0o3770)
    os.utime(f"{root}/a/file9", ns=(0, 1234567890123456789))
    os.utime(f"{root}/a/file8", ns=(0, -5_500_000_000))
    os.utime(f"{root}/a", ns=(0, 987654321000000001))
    if os.geteuid() == 0:
        os.chown(f"{root}/a/file3", 1234, 3000000)


def test_round_trip(binary):
    with tempfile.TemporaryDirectory() as top, Agent(binary) as link:
        make_tree(f"{top}/from")
        out = pack_out(link, f"{top}/from")
        assert out.ended == {1}
        into = pack_in(link, f"{top}/made/on/the/way", out.stdout)
        assert into.result[1] == out.result[1] and into.result[2] == out.result[2]
        assert describe(f"{top}/from") == describe(f"{top}/made/on/the/way")
        assert number(into.result[1][0]) == len(describe(f"{top}/from"))
        # Once more over what is there already.
        pack_in(link, f"{top}/made/on/the/way", out.stdout)
        assert describe(f"{top}/from") == describe(f"{top}/made/on/the/way")


def test_agrees_with_other_programs(binary):
    with tempfile.TemporaryDirectory() as top, Agent(binary) as link:
        make_tree(f"{top}/from")
        out = pack_out(link, f"{top}/from")
        with tarfile.open(fileobj=io.BytesIO(out.stdout), encoding="utf-8", errors="surrogateescape") as archive:
            archive.extractall(f"{top}/python", **({"filter": "fully_trusted"} if hasattr(tarfile, "data_filter") else {}))
        wanted, got = describe(f"{top}/from"), describe(f"{top}/python")
        assert wanted.keys() == got.keys()
        assert {name: item[6] for name, item in wanted.items()} == {name: item[6] for name, item in got.items()}
        for kind in (tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
            data = io.BytesIO()
            with tarfile.open(fileobj=data, mode="w", format=kind, encoding="utf-8", errors="surrogateescape") as archive:
                if kind == tarfile.USTAR_FORMAT:
                    archive.add(f"{top}/from/a", "a", filter=lambda item: None if item.mtime < 0 or item.gid > 2097151 else item)
                else:
                    archive.add(f"{top}/from", ".")
            pack_in(link, f"{top}/kind{kind}", data.getvalue())
            if kind != tarfile.USTAR_FORMAT:
                got = describe(f"{top}/kind{kind}")
                assert {name: item[6] for name, item in wanted.items()} == {name: item[6] for name, item in got.items()}


def test_names_and_files(binary):
    with tempfile.TemporaryDirectory() as top, Agent(binary) as link:
        make_tree(f"{top}/from")
        names = tarfile.open(fileobj=io.BytesIO(pack_out(link, f"{top}/from", ["a/file1", "empty"]).stdout)).getnames()
        assert names == ["a/file1", "empty"]
        archive = tarfile.open(fileobj=io.BytesIO(pack_out(link, f"{top}/from/a/file2").stdout))
        assert archive.getnames() == ["file2"]
        assert archive.extractfile("file2").read() == open(f"{top}/from/a/file2", "rb").read()
        os.symlink("a/file2", f"{top}/from/link")
        archive = tarfile.open(fileobj=io.BytesIO(pack_out(link, f"{top}/from/link").stdout))
        assert archive.getmember("link").isreg()
        os.symlink("a", f"{top}/from/linked-folder")
        for path, name, code in ((f"{top}/from", "../x", "INVALID"), (f"{top}/from", "/etc/passwd", "INVALID"),
                                 (f"{top}/from", "nosuch", "NOT_FOUND"), (f"{top}/from", "linked-folder/file1", "INVALID"),
                                 ("relative", "x", "INVALID"), (f"{top}/nosuch", "x", "NOT_FOUND")):
            try:
                pack_out(link, path, [name])
                raise AssertionError(f"{path} {name} was packed")
            except AgentError as error:
                assert error.code == code, (path, name, error)


def test_does_not_enter_kernel_folders(binary):
    with Agent(binary) as link:
        names = tarfile.open(fileobj=io.BytesIO(pack_out(link, "/", ["proc", "sys", "dev"]).stdout)).getnames()
        assert names == ["proc", "sys", "dev"], names[:10]


def hostile(build):
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as archive:
        build(archive)
    return data.getvalue()


def entry(name, kind=tarfile.REGTYPE, target="", content=b""):
    item = tarfile.TarInfo(name)
    item.type, item.linkname, item.size = kind, target, len(content)
    return item, io.BytesIO(content)


def test_hostile_archives(binary):
    cases = {
        "dots": [entry("../evil", content=b"x")],
        "dots inside": [entry("a/../../evil", content=b"x")],
        "absolute": [entry("/tmp/banger-evil", content=b"x")],
        "own link": [entry("l", tarfile.SYMTYPE, ".."), entry("l/evil", content=b"x")],
        "hard link out": [entry("h", tarfile.LNKTYPE, "../outside")],
        "absolute hard link": [entry("h", tarfile.LNKTYPE, "/etc/passwd")],
    }
    with tempfile.TemporaryDirectory() as top, Agent(binary) as link:
        open(f"{top}/outside", "w").close()
        for name, entries in cases.items():
            data = hostile(lambda archive: [archive.addfile(*item) for item in entries])
            for flags in (0, 1):
                try:
                    pack_in(link, f"{top}/in", data, flags)
                    raise AssertionError(f"{name} was unpacked")
                except AgentError as error:
                    assert error.code == "INVALID", (name, error)
        assert sorted(os.listdir(top)) == ["in", "outside"] and not os.path.exists("/tmp/banger-evil")
        good = hostile(lambda archive: archive.addfile(*entry("good", content=b"y" * 5000)))
        for data in (b"not a tar" * 200, good[:100], good[:512], good[:3000], b"\xff" * 10240):
            try:
                pack_in(link, f"{top}/in", data)
                raise AssertionError("damage was not noticed")
            except AgentError as error:
                assert error.code == "INVALID", error
        assert number(pack_in(link, f"{top}/in", b"").result[1][0]) == 0
        assert number(pack_in(link, f"{top}/in", good[: 512 + 5120]).result[1][0]) == 1  # without the closing zeros
        assert link.ping()


def test_kinds_in_the_way(binary):
    with tempfile.TemporaryDirectory() as top, Agent(binary) as link:
        os.makedirs(f"{top}/in/name/full")
        data = hostile(lambda archive: archive.addfile(*entry("name", content=b"file")))
        try:
            pack_in(link, f"{top}/in", data)
            raise AssertionError("a folder was replaced")
        except AgentError as error:
            assert error.code == "EXISTS"
        pack_in(link, f"{top}/in", data, 1)
        assert open(f"{top}/in/name").read() == "file"
        try:
            pack_in(link, f"{top}/in/name", data)
            raise AssertionError("unpacked into a file")
        except AgentError as error:
            assert error.code == "NOT_FOUND", error

import { chmod, mkdir, writeFile } from 'node:fs/promises';
import type { Recipe } from '../recipes.ts';

/** Packages that an earlier build downloaded; links where the file system allows, so nothing is copied. */
const SEED_PACKAGES = `#!/bin/sh
set -eu
archives="$1/var/cache/apt/archives"
mkdir -p "$archives"
find "$BANGER_DEBS" -name '*.deb' -exec cp --archive --link --target-directory="$archives" {} + 2>/dev/null ||
  find "$BANGER_DEBS" -name '*.deb' -exec cp --archive --target-directory="$archives" {} +
`;

/**
 * What makes Debian's packages a machine image. Units and keys are the image's own choice, so they are made here, in the
 * recipe, and never later from outside.
 */
const CUSTOMIZE_MACHINE = `#!/bin/sh
set -eu
root="$1"

# Nothing of the host that built it, nothing of the build.
rm -f "$root/etc/apt/apt.conf.d/99mmdebstrap" "$root/etc/dpkg/dpkg.cfg.d/99mmdebstrap"
: > "$root/etc/resolv.conf"
echo "$BANGER_IMAGE" > "$root/etc/hostname"
printf '127.0.0.1\\tlocalhost\\n::1\\tlocalhost ip6-localhost ip6-loopback\\n' > "$root/etc/hosts"
echo 'LANG=C.UTF-8' > "$root/etc/default/locale"

# Each machine gets an identity of its own: systemd fills the empty file, the unit below makes the ssh key.
: > "$root/etc/machine-id"
rm -f "$root/var/lib/dbus/machine-id" "$root"/etc/ssh/ssh_host_*

units="$root/etc/systemd/system"
cat > "$units/ssh-host-key.service" <<'UNIT'
[Unit]
Description=Make the ssh host key of this machine
ConditionPathExists=!/etc/ssh/ssh_host_ed25519_key

[Service]
Type=oneshot
ExecStart=/usr/bin/ssh-keygen -q -t ed25519 -N "" -f /etc/ssh/ssh_host_ed25519_key
UNIT
for unit in ssh ssh@; do
  mkdir -p "$units/$unit.service.d"
  printf '[Unit]\\nWants=ssh-host-key.service\\nAfter=ssh-host-key.service\\n' > "$units/$unit.service.d/host-key.conf"
done
echo 'HostKey /etc/ssh/ssh_host_ed25519_key' > "$root/etc/ssh/sshd_config.d/host-key.conf"

# sshd starts with the first connection, not at boot.
disable() { rm -f "$units"/*.wants/"$1" "$units"/*.requires/"$1"; }
disable ssh.service
rm -f "$units/sshd.service"
mkdir -p "$units/sockets.target.wants"
ln -sf /lib/systemd/system/ssh.socket "$units/sockets.target.wants/ssh.socket"

# Not worth their time in a machine that may live for one command; "systemctl enable" brings each back.
for unit in apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service \\
  fstrim.timer; do
  disable "$unit"
done
# No one logs in on a console: root has no password, and the serial console is the machine's log.
disable getty@tty1.service
mkdir -p "$root/etc/systemd/system-generators"
ln -sf /dev/null "$root/etc/systemd/system-generators/systemd-getty-generator"
# The journal stays in memory until somebody makes this folder.
rm -rf "$root/var/log/journal"

# Everything below /usr is up to date, so that no machine rebuilds its hardware database at its first boot.
touch --reference="$root/usr" "$root/etc/.updated" "$root/var/.updated"
`;

/** Writes the hooks that mmdebstrap runs; it tells by the name when. */
export async function writeBuildHooks(recipe: Recipe, folder: string): Promise<void> {
  await mkdir(folder, { mode: 0o755 });
  await writeExecutable(`${folder}/setup00-packages`, SEED_PACKAGES);
  if (recipe.variant !== 'extract') await writeExecutable(`${folder}/customize00-machine`, CUSTOMIZE_MACHINE);
}

async function writeExecutable(path: string, text: string): Promise<void> {
  await writeFile(path, text);
  await chmod(path, 0o755);
}

// The disks of a machine, found by serial number.
#pragma once

// Mounts the root disk, grows it to its device, makes it the root and frees the initramfs. A machine without a root
// has nothing to live for: on failure it says so on the console and powers off.
void rootdisk_enter(const char *cmdline);
// The kernel's modules, where the command line names a disk for them.
void rootdisk_mount_modules(const char *cmdline);

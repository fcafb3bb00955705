// The disks of a machine, found by serial number.
#pragma once

// Waits for the root disk, mounts it, grows it to its device and makes it the root. A machine without a root
// has nothing to live for: on failure it says so on the console and powers off.
void rootdisk_enter(const char *cmdline);
// The initramfs is memory; it cannot be unmounted, only emptied: when nobody needs its files any more, by a process whose
// root it still is.
void rootdisk_free_initramfs(void);
// Before the process that is to mount the modules is started: it then can wait for rootdisk_enter().
void rootdisk_expect(void);
// The kernel's modules, where the command line names a disk for them. For a process beside the one that enters the root.
void rootdisk_mount_modules(const char *cmdline);

#include "rootdisk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdint.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "cmdline.h"
#include "growth.h"
#include "ioctls.h"
#include "log.h"
#include "loop.h"
#include "power.h"
#include "procfs.h"

enum { DISK_WAIT_MS = 5000, DISK_STEP_MS = 2, NEWS_WAIT_MS = 25, NAME_BYTES = 256, DEVICE_BYTES = 264 };

static const char new_root[] = "/newroot";
static const char modules_disk[] = "/modules.disk";

// A pipe that is at its end when the root has been entered.
static struct {
    int entered;
    int entering;
} gate = {.entered = -1, .entering = -1};

static void close_end(int *end) {
    if (*end >= 0) close(*end);
    *end = -1;
}

static _Noreturn void give_up(const char *what) {
    log_console("cannot %s: %s", what, strerror(errno));
    power_off_now();
}

static bool has_serial(const char *disk, const char *wanted) {
    char path[320];
    char serial[64] = "";
    snprintf(path, sizeof path, "/sys/block/%s/serial", disk);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return false;
    ssize_t got = read(fd, serial, sizeof serial - 1);
    close(fd);
    if (got > 0 && serial[got - 1] == '\n') serial[got - 1] = 0;
    return got > 0 && strcmp(serial, wanted) == 0;
}

// Its name is there before the disk is: a driver that is still probing answers ENXIO, or tells no size.
static bool is_live(const char *device) {
    uint64_t bytes = 0;
    int fd = open(device, O_RDONLY | O_CLOEXEC);
    bool live = fd >= 0 && ioctl(fd, BLOCK_SIZE_64, &bytes) == 0 && bytes > 0;
    if (fd >= 0) close(fd);
    return live;
}

static bool look_for(const char *serial, char *device, size_t size) {
    DIR *folder = opendir("/sys/block");
    if (!folder) return false;
    bool found = false;
    for (struct dirent *entry; !found && (entry = readdir(folder));) {
        if (entry->d_name[0] == '.' || !has_serial(entry->d_name, serial)) continue;
        snprintf(device, size, "/dev/%s", entry->d_name);
        found = is_live(device);
    }
    closedir(folder);
    return found;
}

// The kernel makes the nodes in /dev by itself and tells of it. -1: only looking helps.
static int watch_devices(void) {
    int watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (watch >= 0 && inotify_add_watch(watch, "/dev", IN_CREATE) < 0) {
        close(watch);
        watch = -1;
    }
    return watch;
}

// Each look costs the CPU that loads the drivers, so there are few before a device has come.
static bool wait_for_disk(int watch, const char *serial, char *device, size_t size) {
    struct pollfd news = {watch, POLLIN, 0};
    loop_tick();
    uint64_t deadline = loop_now() + DISK_WAIT_MS;
    for (; loop_now() <= deadline; loop_tick()) {
        if (look_for(serial, device, size)) return true;
        if (news.revents == 0 && watch >= 0) poll(&news, 1, NEWS_WAIT_MS);
        else usleep(DISK_STEP_MS * 1000);
    }
    errno = ENODEV;
    return false;
}

static bool find_disk(const char *serial, char *device, size_t size) {
    int watch = watch_devices();
    bool found = wait_for_disk(watch, serial, device, size);
    if (watch >= 0) close(watch);
    return found;
}

// The host has much of the disk in its page cache and each request costs an emulated guest a millisecond, so there shall be few. With
// the kernel's 128 KiB the first command of a guest came 15 ms later; 4 MiB is no faster than 1.
static void read_far_ahead(const char *device) {
    char path[NAME_BYTES + 64];
    snprintf(path, sizeof path, "/sys/block/%s/queue/read_ahead_kb", device + strlen("/dev/"));
    if (!procfs_write(path, "1024")) log_line("cannot set %s: %s", path, strerror(errno));
}

// To the size of its device. One that has it is left alone: asked to grow, it would write its journal out all the same.
static void grow(const char *device) {
    uint64_t bytes = 0;
    int disk = open(device, O_RDONLY | O_CLOEXEC);
    int root = open(new_root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool known = disk >= 0 && root >= 0 && ioctl(disk, BLOCK_SIZE_64, &bytes) == 0;
    if (known && ext4_bytes(disk) != bytes && !grow_filesystem(root, bytes)) {
        log_line("cannot grow the root disk to %llu bytes: %s", (unsigned long long)bytes, strerror(errno));
    }
    if (disk >= 0) close(disk);
    if (root >= 0) close(root);
}

static void remove_tree(int parent, const char *name, dev_t device) {
    struct stat info;
    if (fstatat(parent, name, &info, AT_SYMLINK_NOFOLLOW) < 0 || info.st_dev != device) return;
    if (!S_ISDIR(info.st_mode)) {
        unlinkat(parent, name, 0);
        return;
    }
    int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *folder = fd >= 0 ? fdopendir(fd) : NULL;
    for (struct dirent *entry; folder && (entry = readdir(folder));) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) remove_tree(fd, entry->d_name, device);
    }
    if (folder) closedir(folder);
    unlinkat(parent, name, AT_REMOVEDIR);
}

void rootdisk_free_initramfs(void) {
    struct stat root;
    static const char *const ours[] = {"modules", "modules.list", "init"};
    int initramfs = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool known = initramfs >= 0 && fstat(initramfs, &root) == 0;
    for (size_t i = 0; known && i < sizeof ours / sizeof *ours; i++) remove_tree(initramfs, ours[i], root.st_dev);
    if (initramfs >= 0) close(initramfs);
}

static void move_mounts(void) {
    static const char *const folders[] = {"/dev", "/proc", "/sys"};
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        char target[32];
        snprintf(target, sizeof target, "%s%s", new_root, folders[i]);
        mkdir(target, 0755);
        if (mount(folders[i], target, NULL, MS_MOVE, NULL) < 0) {
            log_line("cannot move %s: %s", folders[i], strerror(errno));
        }
    }
}

void rootdisk_enter(const char *cmdline) {
    char serial[CMDLINE_VALUE_MAX];
    char type[CMDLINE_VALUE_MAX];
    char device[DEVICE_BYTES];
    char what[2 * CMDLINE_VALUE_MAX + DEVICE_BYTES];
    if (!cmdline_get(cmdline, "banger.root", serial, sizeof serial)) strcpy(serial, "banger-root");
    if (!cmdline_get(cmdline, "banger.rootfstype", type, sizeof type)) strcpy(type, "ext4");
    mkdir(new_root, 0755);
    snprintf(what, sizeof what, "find a disk with the serial number \"%s\"", serial);
    if (!find_disk(serial, device, sizeof device)) give_up(what);
    read_far_ahead(device);
    snprintf(what, sizeof what, "mount the root disk %s as %s", device, type);
    if (mount(device, new_root, type, 0, NULL) < 0) give_up(what);
    if (strcmp(type, "ext4") == 0) grow(device);
    move_mounts();
    if (chdir(new_root) < 0 || mount(".", "/", NULL, MS_MOVE, NULL) < 0 || chroot(".") < 0 || chdir("/") < 0) {
        give_up("enter the root disk");
    }
    close_end(&gate.entering);
    close_end(&gate.entered);
}

void rootdisk_expect(void) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0) {
        log_line("cannot make a pipe: %s", strerror(errno));
        return;
    }
    gate.entered = ends[0];
    gate.entering = ends[1];
}

static void make_folders(char *path) {
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        mkdir(path, 0755);
        *slash = '/';
    }
    mkdir(path, 0755);
}

// Follows the first process, to its root. Its own folder stays where it is.
static bool follow_to_root(int proc) {
    char none;
    if (gate.entered < 0) return false;
    while (read(gate.entered, &none, 1) < 0 && errno == EINTR) continue;
    int folder = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    int entered = openat(proc, "1/root", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool ok = folder >= 0 && fchdir(entered) == 0 && chroot(".") == 0 && fchdir(folder) == 0;
    close_end(&folder);
    close_end(&entered);
    return ok;
}

static bool move_here_to(char *folder) {
    make_folders(folder);
    return mount(".", folder, NULL, MS_MOVE, NULL) == 0;
}

// Mounted while the root still is, and moved there then: neither waits for the other's disk.
void rootdisk_mount_modules(const char *cmdline) {
    char serial[CMDLINE_VALUE_MAX];
    char device[DEVICE_BYTES];
    char folder[NAME_BYTES];
    struct utsname kernel;
    if (!cmdline_get(cmdline, "banger.modules", serial, sizeof serial)) return;
    if (getpid() == 1) {
        log_line("cannot mount the modules disk \"%s\": there is no process for it", serial);
        return;
    }
    close_end(&gate.entering);
    uname(&kernel);
    snprintf(folder, sizeof folder, "/lib/modules/%s", kernel.release);
    int proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    mkdir(modules_disk, 0755);
    bool mounted = proc >= 0 && find_disk(serial, device, sizeof device) &&
                   mount(device, modules_disk, "ext4", MS_RDONLY | MS_NOSUID | MS_NODEV, NULL) == 0 &&
                   chdir(modules_disk) == 0 && follow_to_root(proc) && move_here_to(folder);
    if (!mounted) log_line("cannot mount the modules disk \"%s\": %s", serial, strerror(errno));
    close_end(&proc);
}

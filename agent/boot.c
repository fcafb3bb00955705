#include "boot.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cmdline.h"
#include "cpus.h"
#include "identity.h"
#include "init.h"
#include "link.h"
#include "log.h"
#include "machine.h"
#include "modules.h"
#include "network.h"
#include "parts.h"
#include "power.h"
#include "process.h"
#include "rootdisk.h"
#include "timekeeping.h"

extern char **environ;

enum { GREETING_MAX_MS = 300 };

static void mount_or_log(const char *type, const char *folder, unsigned long flags, const char *options) {
    mkdir(folder, 0755);
    if (mount(type, folder, type, flags, options) < 0 && errno != EBUSY) {
        log_line("cannot mount %s: %s", folder, strerror(errno));
    }
}

static void mount_kernel_folders(void) {
    mount_or_log("proc", "/proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
    mount_or_log("sysfs", "/sys", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
    mount_or_log("devtmpfs", "/dev", MS_NOSUID, "mode=0755");
    // The kernel could not open a console for us before there was a /dev. Nor do we: starting the serial port takes an emulated guest 14 ms.
    while (fcntl(STDERR_FILENO, F_GETFD) < 0 && open("/dev/null", O_RDWR) >= 0) continue;
    log_to(LOG_KERNEL);
    log_keep();
}

// What the kernel gives an init.
static void take_console(void) {
    int console = open("/dev/console", O_RDWR | O_NOCTTY);
    if (console < 0) {
        log_line("cannot open the console: %s", strerror(errno));
        return;
    }
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) dup2(console, fd);
    if (console > STDERR_FILENO) close(console);
}

// Every init and every container runtime makes them; images link their log files to /dev/stdout.
static void link_standard_streams(void) {
    static const char *const links[][2] = {{"/proc/self/fd", "/dev/fd"},
                                           {"/proc/self/fd/0", "/dev/stdin"},
                                           {"/proc/self/fd/1", "/dev/stdout"},
                                           {"/proc/self/fd/2", "/dev/stderr"}};
    for (size_t i = 0; i < sizeof links / sizeof *links; i++) {
        if (symlink(links[i][0], links[i][1]) < 0 && errno != EEXIST) {
            log_line("cannot make %s: %s", links[i][1], strerror(errno));
        }
    }
}

static bool is_empty(const char *path) {
    DIR *folder = opendir(path);
    if (!folder) return true;
    bool empty = true;
    for (struct dirent *entry; empty && (entry = readdir(folder));) {
        empty = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;
    }
    closedir(folder);
    return empty;
}

// What an init does for itself, for the agent that has to be one.
static void mount_as_init(void) {
    mount_or_log("tmpfs", "/dev/shm", MS_NOSUID | MS_NODEV, "mode=1777");
    // Images made for containers bring folders there that their programs need: a database's /run/mysqld.
    if (is_empty("/run")) mount_or_log("tmpfs", "/run", MS_NOSUID | MS_NODEV, "mode=0755");
    mount_or_log("cgroup2", "/sys/fs/cgroup", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
    reboot(RB_DISABLE_CAD); // ctrl-alt-delete then is a SIGINT
}

// As systemd does: what is mounted in one mount namespace is there in the others.
static void share_mounts(void) {
    if (mount(NULL, "/", NULL, MS_REC | MS_SHARED, NULL) < 0) log_line("cannot share mounts: %s", strerror(errno));
}

static void set_identity(const char *cmdline) {
    char value[CMDLINE_VALUE_MAX];
    if (cmdline_get(cmdline, "banger.hostname", value, sizeof value)) identity_set_hostname(value);
    if (cmdline_get(cmdline, "banger.dns", value, sizeof value)) identity_set_dns(value);
    if (cmdline_get(cmdline, "banger.time", value, sizeof value)) clock_advance_ms(strtoull(value, NULL, 10));
}

static void start_cpus(const char *cmdline) {
    (void)cmdline;
    cpus_start();
}

static bool held_back_cpus(const char *cmdline) {
    char value[CMDLINE_VALUE_MAX];
    return cmdline_get(cmdline, "maxcpus", value, sizeof value);
}

// The network needs its driver, and nothing of the root disk.
static void start_devices(const char *cmdline) {
    modules_load(cmdline);
    network_up(cmdline);
    part_is_done();
    rootdisk_free_initramfs();
}

// What no greeting needs, but every command does.
static void settle(const char *cmdline) {
    char init[CMDLINE_VALUE_MAX];
    // Here and not only as PID 1, so that a command with a terminal can run before the init has come this far.
    mount_or_log("devpts", "/dev/pts", MS_NOSUID | MS_NOEXEC, "gid=5,mode=0620,ptmxmode=0666");
    link_standard_streams();
    set_identity(cmdline);
    if (init_find(cmdline, init, sizeof init) != INIT_AGENT) return;
    mount_as_init();
    share_mounts();
}

// The image's init could not be executed: something has to collect the dead, or the kernel panics.
static _Noreturn void only_collect(const char *init) {
    log_console("cannot execute the init \"%s\": %s", init, strerror(errno));
    for (;;) {
        if (wait(NULL) < 0) sleep(1);
    }
}

// An init that starts at once takes the CPUs that the greeting needs: the host would hear of a guest that is ready 0.2 s
// later. So it waits, but not long for a host that is not there.
static void wait_for_greeting(int hold) {
    struct pollfd greeting = {hold, POLLIN, 0};
    poll(&greeting, 1, GREETING_MAX_MS);
    close(hold);
}

static void start_init(char *init, char **argv) {
    int hold[2] = {-1, -1};
    if (pipe2(hold, O_CLOEXEC) < 0) log_line("cannot make a pipe: %s", strerror(errno));
    pid_t agent = fork();
    if (agent < 0) log_console("cannot start the agent beside the init: %s", strerror(errno));
    if (agent == 0) {
        close(hold[0]);
        machine.init_hold = hold[1];
        setsid();
        process_rename(argv);
        return;
    }
    close(hold[1]);
    link_forget_port();
    take_console();
    parts_collect();
    if (agent > 0) wait_for_greeting(hold[0]);
    char *init_argv[] = {init, NULL};
    execve(init, init_argv, environ);
    only_collect(init);
}

// The agent is greeted while parts are still at work: its operations wait for them, and the init does.
void boot(char **argv) {
    static char cmdline[CMDLINE_MAX];
    static char init[CMDLINE_VALUE_MAX];
    umask(022);
    mount_kernel_folders();
    cmdline_read(cmdline, sizeof cmdline);
    if (held_back_cpus(cmdline) && cpus_open()) part_start(start_cpus, cmdline);
    // The disk's driver comes first; the rest happens while the root is mounted.
    part_start(start_devices, cmdline);
    rootdisk_expect();
    part_start(rootdisk_mount_modules, cmdline);
    rootdisk_enter(cmdline);
    link_find_port();
    part_start(settle, cmdline);
    parts_are_all();
    log_let_go();
    machine.is_guest = true;
    machine.init = init_find(cmdline, init, sizeof init);
    if (machine.init != INIT_AGENT) {
        start_init(init, argv);
        return;
    }
    if (init[0]) log_console("cannot use the init \"%s\": it is not a program", init);
    process_rename(argv);
}

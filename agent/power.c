// Operation 8 and the ways a machine ends: ask the init, wait, then do it oneself. A small state machine on the loop's
// clock, so that the host is still answered meanwhile; what may block runs in a child.
#include "power.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/reboot.h>
#include <unistd.h>

#include "console.h"
#include "detached.h"
#include "frame.h"
#include "log.h"
#include "loop.h"
#include "machine.h"
#include "operations.h"
#include "process.h"
#include "procfs.h"
#include "reaper.h"
#include "service.h"

enum { TAG_GRACE = 2, TAG_MODE = 3, MODE_NOW = 1, GRACE_DEFAULT_MS = 8000, GRACE_MAX_MS = 600000 };
enum { SYNC_MAX_MS = 10000, TERM_MS = 1000, LAST_SYNC_MS = 5000, SETTLE_MS = 20, COMMANDS_MS = 3500 };
enum { SERVICE_LEAVES_MS = 1500, CONSOLE_STEP_MS = 10 };
enum { REMOUNT_MAX_MS = 3000, REMOUNT_STEP_MS = 5 };

// glibc's SIGRTMIN + 4: systemd's "start poweroff.target".
enum { SYSTEMD_POWER_OFF = 34 + 4 };

enum phase {
    IDLE,
    FIRST_SYNC, // the disks, before anybody is asked
    ANSWER,     // OPENED is on its way out
    COMMANDS,   // the service and the detached commands were asked to end
    GRACE,      // the init was asked
    TERMINATED, // everybody got SIGTERM
    LAST_SYNC,  // a child syncs, remounts and powers off
    FORCED,
};

static struct {
    enum phase phase;
    uint64_t deadline;
    uint32_t grace_ms;
    uint64_t grace_ends;
    bool at_once;
    pid_t child;
    bool child_done;
    bool answered;
} power;

static void enter(enum phase phase, int wait_ms) {
    power.phase = phase;
    power.deadline = loop_now() + (uint64_t)wait_ms;
    power.child_done = false;
}

static bool a_disk_is_writable(void) {
    static struct lines mounts;
    bool found = false;
    if (!lines_open(&mounts, "/proc/self/mounts")) return false;
    for (char *line; (line = lines_next(&mounts));) {
        bool disk = strncmp(next_word(&line), "/dev/", 5) == 0;
        skip_words(&line, 2);
        if (disk && strncmp(next_word(&line), "rw", 2) == 0) found = true;
    }
    return found;
}

// A kernel thread remounts, some time later; power off before it is done, and it writes to disks that are gone.
static void remount_read_only(void) {
    bool asked = procfs_write("/proc/sysrq-trigger", "u");
    for (int waited = 0; asked && waited < REMOUNT_MAX_MS && a_disk_is_writable(); waited += REMOUNT_STEP_MS) {
        usleep(REMOUNT_STEP_MS * 1000);
    }
}

static void start_child(void (*work)(void)) {
    pid_t pid = fork();
    if (pid == 0) {
        process_child_setup();
        work();
        _exit(0);
    }
    power.child = pid;
    power.child_done = pid < 0;
}

static void last_work(void) {
    sync();
    remount_read_only();
    sync();
    reboot(RB_POWER_OFF);
}

static void kill_everybody(int number) {
    // All but PID 1 and the caller, so this is right for an agent in either place.
    if (machine.is_guest) kill(-1, number);
}

// openrc-init takes no signal for this, only what openrc-shutdown(8) writes. One that still boots does not read yet.
static bool ask_openrc(void) {
    static const char wish[] = "poweroff";
    int fifo = open("/run/openrc/init.ctl", O_WRONLY | O_NONBLOCK | O_CLOEXEC);
    bool asked = fifo >= 0 && write(fifo, wish, sizeof wish - 1) == (ssize_t)(sizeof wish - 1);
    if (!asked) log_line("cannot ask openrc-init to power off: %s", strerror(errno));
    if (fifo >= 0) close(fifo);
    return asked;
}

static bool ask_kindly(void) {
    switch (machine.init) {
    case INIT_SYSTEMD: return kill(1, SYSTEMD_POWER_OFF) == 0;
    case INIT_OPENRC: return ask_openrc();
    case INIT_BUSYBOX_OPENRC:
    case INIT_BUSYBOX: return kill(1, SIGUSR2) == 0;
    default: return false;
    }
}

static void ask_init(void) {
    if (power.at_once) {
        kill_everybody(SIGKILL);
        enter(LAST_SYNC, LAST_SYNC_MS);
        start_child(last_work);
        return;
    }
    if (ask_kindly()) {
        enter(GRACE, power.grace_ends > loop_now() ? (int)(power.grace_ends - loop_now()) : 0);
    } else {
        kill_everybody(SIGTERM);
        enter(TERMINATED, TERM_MS);
    }
}

// Of the grace time something is left for the init.
static int stop_service(void) {
    if (power.at_once) return service_shut_down(0);
    bool long_enough = power.grace_ms > 2 * SERVICE_LEAVES_MS;
    return service_shut_down(long_enough ? power.grace_ms - SERVICE_LEAVES_MS : power.grace_ms / 2);
}

// They are the agent's children, so an init that ends them itself is not told when they are gone: systemd then looks
// again only after ten seconds.
static void end_commands(void) {
    power.grace_ends = loop_now() + power.grace_ms;
    int service_ms = stop_service();
    if (!power.at_once) detached_terminate_all();
    enter(COMMANDS, power.at_once ? 0 : service_ms > COMMANDS_MS ? service_ms : COMMANDS_MS);
}

static void advance(void) {
    switch (power.phase) {
    case FIRST_SYNC:
        power.answered = true;
        enter(ANSWER, SETTLE_MS);
        break;
    case ANSWER: end_commands(); break;
    case COMMANDS: ask_init(); break;
    case GRACE: log_line("the init did not power off in time; the agent does it"); // fall through
    case TERMINATED:
        kill_everybody(SIGKILL);
        enter(LAST_SYNC, LAST_SYNC_MS);
        start_child(last_work);
        break;
    case LAST_SYNC:
        enter(FORCED, LAST_SYNC_MS);
        reboot(RB_POWER_OFF);
        break;
    case FORCED: reboot(RB_AUTOBOOT); break;
    case IDLE: break;
    }
}

static bool commands_are_over(void) {
    return reaper_is_idle() && service_is_down() && console_is_idle();
}

int power_tick(void) {
    if (power.phase == IDLE) return -1;
    bool waits_for_child = power.phase == FIRST_SYNC || power.phase == LAST_SYNC;
    bool is_over = waits_for_child ? power.child_done : power.phase == COMMANDS && commands_are_over();
    if (is_over || loop_now() >= power.deadline) advance();
    uint64_t now = loop_now();
    if (power.deadline <= now) return 0;
    // No event tells that the console has taken the last of the output.
    if (power.phase == COMMANDS && service_is_down() && !console_is_idle()) return CONSOLE_STEP_MS;
    return (int)(power.deadline - now);
}

void power_collected(pid_t pid) {
    if (power.phase != IDLE && pid == power.child) power.child_done = true;
}

static void begin(uint32_t grace_ms, bool at_once) {
    power.grace_ms = grace_ms > GRACE_MAX_MS ? GRACE_MAX_MS : grace_ms;
    power.at_once = at_once;
    enter(FIRST_SYNC, SYNC_MAX_MS);
    start_child(sync);
}

bool power_signal(void) {
    if (!machine.is_guest) return false;
    if (getpid() == 1 && power.phase == IDLE) begin(GRACE_DEFAULT_MS, false);
    return true; // beside an init, signals to the agent say nothing about the machine
}

void power_off_now(void) {
    sync();
    reboot(RB_POWER_OFF);
    for (;;) pause();
}

static struct failure start(struct channel *channel, struct fields request) {
    (void)channel;
    if (!machine.is_guest) return not_a_machine;
    bool at_once = fields_number(request, TAG_MODE, 0) == MODE_NOW;
    if (power.phase == IDLE) begin((uint32_t)fields_number(request, TAG_GRACE, GRACE_DEFAULT_MS), at_once);
    else if (at_once) power.at_once = true;
    bool waits = power.phase == COMMANDS || power.phase == GRACE;
    if (at_once && waits) enter(power.phase, 0); // a second, less patient request
    return NO_FAILURE;
}

static void tick(struct channel *channel) {
    channel->opened = power.answered;
}

const struct operation power_operation = {.number = 8, .start = start, .tick = tick};

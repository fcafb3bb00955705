// Who am I: the first process of a machine, or an ordinary one under test.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "boot.h"
#include "log.h"
#include "loop.h"
#include "process.h"
#include "session.h"

static struct session session;

static int usage(void) {
    fputs("usage: banger-agent --serve-fd N | --listen PATH | --version\n"
          "As process 1 it takes no arguments: it boots the machine it is in.\n",
          stderr);
    return 2;
}

static int serve(bool (*open_link)(const char *argument), const char *argument) {
    process_setup();
    if (!loop_start() || !session_init(&session) || !watch_add(&session.signals, process_signal_fd())) {
        log_line("cannot start: out of memory or descriptors");
        return 1;
    }
    if (!open_link(argument)) {
        log_line("cannot open the link: %m");
        return 1;
    }
    session_run(&session);
    return 0;
}

static bool open_fd(const char *number) {
    return link_fd(&session.link, atoi(number));
}

static bool open_socket(const char *path) {
    umask(077);
    bool ok = link_listen(&session.link, path);
    umask(022);
    return ok;
}

static bool open_port(const char *unused) {
    (void)unused;
    return link_port(&session.link);
}

int main(int argc, char **argv) {
    if (getpid() == 1 && !(argc > 1 && argv[1][0] == '-' && argv[1][1] == '-')) {
        boot(argv);
        return serve(open_port, NULL);
    }
    if (argc == 3 && strcmp(argv[1], "--serve-fd") == 0) return serve(open_fd, argv[2]);
    if (argc == 3 && strcmp(argv[1], "--listen") == 0) return serve(open_socket, argv[2]);
    if (argc == 2 && strcmp(argv[1], "--version") == 0) {
        puts("banger-agent " AGENT_VERSION);
        return 0;
    }
    return usage();
}
